"""Choose the fields of a new image by its metadata, where a person does not say them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from idr_assets.imaging.channels import Channel
from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.store_text import quote

if TYPE_CHECKING:
    from idr_assets.imaging.reading.level import Level

MOST_PIXELS = 4_000_000
"""Of a plane of the level that is chosen: it takes seconds, and fits a screen."""

MOST_PLANES = 100
"""Of a window that is chosen; of a larger image it is a square around the middle."""

SIDE = 10
"""Timepoints, and slices, of that square."""


class NewImage(BaseModel):
    """What a person says of a new image; its metadata say the rest."""

    model_config = ConfigDict(extra="forbid", coerce_numbers_to_str=True, hide_input_in_errors=True)

    url: str | None = Field(default=None, description="Address of the image. Without it, the YAML is an example.")
    level: str | None = Field(default=None, description="Path of the level, by default the largest of 4 megapixels.")
    channel: list[str] = Field(default_factory=list, description="Index or name of each channel, by default the first.")
    window: dict[str, Any] = Field(default_factory=dict, description="Planes, such as {t: [0, 9], z: all}.")
    segmentation: str | None = Field(default=None, description="Dotted path of the segmentation function.")
    storage_options: dict[str, Any] = Field(default_factory=dict, description="Options for fsspec.")
    axes: list[str] = Field(default_factory=list, description="Axes of a Zarr array without OME-Zarr metadata.")


@dataclass(frozen=True)
class Choice:
    """The level of a new image, and the values of its YAML's fields."""

    level: "Level"
    values: Mapping[str, Any]


def choose_fields(wishes: NewImage, levels: Sequence["Level"]) -> Choice:
    """Choose level, channels and window of an image, unless `wishes` name them; `ImageError` for what it lacks."""
    level = _choose_level(levels, wishes.level)
    values = {
        "storage_options": wishes.storage_options,
        "level": level.path,
        "shape": list(level.shape),
        "dtype": level.dtype.newbyteorder("=").name,
        "channels": _write_channels(level, wishes.channel),
        "window": wishes.window or choose_window(level.shape),
    }
    if names := name_all(level):
        values["channel_names"] = names
    if wishes.segmentation:
        values["segmentation"] = {"function": wishes.segmentation, "parameters": {}}
    return Choice(level, values)


def choose_window(shape: Sequence[int]) -> dict[str, Any]:
    """Choose planes of an image of shape TCZYX: all if they are few, else those around the middle of t and z."""
    t, z = shape[0], shape[2]
    if t * z <= MOST_PLANES:
        return {"t": "all", "z": "all"}
    return {"t": _middle(t), "z": _middle(z)}


def name_channel(index: int, channels: Sequence[Channel]) -> str:
    """Write the index of a channel, and its name if it has one."""
    name = channels[index].name if index < len(channels) else None
    return f"{index} '{name}'" if name else str(index)


def name_all(level: "Level") -> list[str]:
    """Return the names of all channels, if each has one of its own; [] otherwise."""
    names = [channel.name for channel in level.geometry.channels if channel.name]
    return names if len(names) == len(set(names)) == level.shape[1] == len(level.geometry.channels) else []


def _middle(length: int) -> Any:  # noqa: ANN401  an interval, or the word `all`
    start = (length - SIDE) // 2
    return [start, start + SIDE - 1] if length > SIDE else "all"


def _choose_level(levels: Sequence["Level"], wanted: str | None) -> "Level":
    if wanted is not None:
        named = next((level for level in levels if level.path == wanted), None)
        # Of another level, the error says why it cannot be opened.
        from idr_assets.imaging.reading.level import open_level  # noqa: PLC0415  zarr, which definitions do without

        return named or open_level(levels[0].address, wanted, patience=levels[0].store.patience)
    fitting = [level for level in levels if prod(level.plane_shape) <= MOST_PIXELS]
    if not fitting:
        return min(levels, key=lambda level: prod(level.plane_shape))
    return max(fitting, key=lambda level: prod(level.plane_shape))


def _write_channels(level: "Level", wanted: Sequence[str]) -> list[int | str]:
    """Return the channels for a YAML: by the name that was given where it has `channel_names`, else by index."""
    names, found = name_all(level), _choose_channels(level, wanted)
    return [names[index] if names and names[index] in wanted else index for index in found]


def _choose_channels(level: "Level", wanted: Sequence[str]) -> Iterator[int]:
    count, known = level.shape[1], level.geometry.channels[: level.shape[1]]
    for name in wanted or ["0"]:
        found = [index for index, channel in enumerate(known) if channel.name == name]
        if name.isdecimal() and int(name) < count:
            found = [int(name)]
        if len(found) != 1:
            listed = ", ".join(name_channel(index, known) for index in range(count))
            problem = f"several channels {quote(name)}" if found else f"no channel {quote(name)}"
            message = (
                f"{level.url} has {problem}, so nothing was written. Name one by its index, or by its name if no other "
                f"has it: {listed}."
            )
            raise ImageError(message)
        yield found[0]
