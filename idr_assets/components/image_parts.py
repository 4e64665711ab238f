"""The nested parts of an image's YAML: window, segmentation, reading, automation."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import Field, StrictInt, ValidationInfo, field_validator

from idr_assets.components.field_types import Channel
from idr_assets.components.parameters import check_parameters
from idr_assets.components.yaml_model import YamlFields
from idr_assets.imaging.objects.more_measurements import Measurement
from idr_assets.imaging.reading.retries import Patience
from idr_assets.imaging.segmentation.named_function import import_callable, import_function
from idr_assets.imaging.segmentation.recipe import Recipe, find_version
from idr_assets.orchestration.automation.schedules import Automation

Interval = Annotated[list[Annotated[StrictInt, Field(ge=0)]], Field(min_length=2, max_length=2)]

GAUSSIAN_THRESHOLD = "idr_assets.imaging.segmentation.gaussian_threshold"

MOST_INDICES = 100_000
"""Of a window in T and in Z: each is a partition key, which Dagster loads and lists."""


class Window(YamlFields):
    """The planes to segment: a range of timepoints and a range of slices."""

    t: Interval | Literal["all"] = Field(default="all", description="First and last timepoint, inclusive, or `all`.")
    z: Interval | Literal["all"] = Field(default="all", description="First and last slice, inclusive, or `all`.")

    @field_validator("t", "z", mode="before")
    @classmethod
    def _check_interval(cls, interval: object) -> object:
        message = f"{interval} is no interval; write the first and the last index, such as [0, 9], or `all`"
        match interval:
            case "all":
                return interval
            case [bool(), _] | [_, bool()]:
                pass  # Python takes them for 0 and 1
            case [int(first), int(last)] if 0 <= first <= last:
                return interval
            case [int(first), int(last)] if 0 <= last < first:
                message = f"it starts at {first}, after its end {last}; write [{last}, {first}]"
        raise ValueError(message)

    def check_fit(self, shape: Sequence[int]) -> None:
        """Raise `ValueError` unless the window is within an image of shape TCZYX, and small enough for Dagster."""
        for axis, indices in self.ranges(shape).items():
            length = shape["tcz".index(axis)]
            if len(indices) > MOST_INDICES:
                message = f"{axis} has {len(indices)} indices, more than Dagster can show; use {MOST_INDICES} at most"
                raise ValueError(message)
            if indices.stop > length:
                message = (
                    f"{axis} ends at {indices[-1]}, but the shape has {axis} 0 to {length - 1}; end it there or before"
                )
                raise ValueError(message)

    def ranges(self, shape: Sequence[int]) -> dict[str, range]:
        """Return the indices t and z that the window covers in an image of shape TCZYX."""
        return {axis: _indices(interval, shape[at]) for axis, at, interval in (("t", 0, self.t), ("z", 2, self.z))}


class Reading(YamlFields, Patience):
    """How the store is read: requests, retries, and what a missing chunk means."""

    missing_chunks: Literal["error", "zeros"] = Field(
        default="error",
        description="What a missing chunk means: `error`, or `zeros` if the writer leaves out chunks of zeros.",
    )


class AutomationFields(YamlFields, Automation):
    """What runs automatically for an image."""


class Segmentation(YamlFields):
    """The function that turns planes into labels, and its parameters."""

    function: str = Field(
        default=GAUSSIAN_THRESHOLD,
        description="Dotted path of a segmentation function. It says what it works on: `@per_plane`, `@per_volume` or "
        "`@per_stack`.",
    )
    inputs: dict[Annotated[str, Field(pattern=r"^[A-Za-z_]\w*$")], Channel] = Field(
        default_factory=dict,
        description="Channels that the function gets together, by the names of its arguments, such as `{nuclei: DAPI, "
        "cytoplasm: 1}`: an index, or a name that is in `channel_names`. The labels are of one channel. Left out, the "
        "function gets each channel by itself.",
    )
    labels_for: str | None = Field(
        default=None, description="The name in `inputs` whose channel gets the labels, by default the first."
    )
    parameters: dict[str, Any] = Field(
        default_factory=dict, validate_default=True, description="Keyword arguments of the function."
    )

    @field_validator("function")
    @classmethod
    def _check_function(cls, path: str) -> str:
        import_function(path)
        return path

    @field_validator("parameters")
    @classmethod
    def _check_parameters(cls, parameters: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        if info.data.keys() >= {"function", "inputs"}:
            check_parameters(info.data["function"], parameters, info.data["inputs"])
        return parameters

    @field_validator("labels_for")
    @classmethod
    def _check_labels_for(cls, name: str | None, info: ValidationInfo) -> str | None:
        if name is not None and name not in info.data.get("inputs", [name]):
            message = f"{name!r} is no name in `inputs`, which are {', '.join(info.data['inputs']) or 'none'}"
            raise ValueError(message)
        return name

    def recipe(self, channels: Sequence[int], names: Sequence[str] = (), measured: Sequence[int] = ()) -> Recipe:
        """Return the recipe of labels: of these channels, or of one of the inputs, which may have these `names`.

        `measured` are the channels in which objects are measured.
        """
        found = dict(zip(self.inputs, find_channels([*self.inputs.values()], names, None), strict=True))
        if found:
            channels = [found[self.labels_for or next(iter(found))]]
        function = import_function(self.function)
        return Recipe(self.function, function, self.parameters, tuple(channels), found, tuple(measured))


def import_measurement(path: str) -> Measurement:
    """Import a function of a user that measures objects; `ValueError` if it is none."""
    function = import_callable(path)
    if not getattr(function, "is_measurement", False):
        message = (
            f"{path} is not declared as a measurement; write `@measurement` above it, which is in "
            "`idr_assets.imaging.objects`"
        )
        raise ValueError(message)
    return Measurement(path, function, find_version(function))


def find_channels(channels: Sequence[int | str], names: Sequence[str], shape: Sequence[int] | None) -> list[int]:
    """Return the indices of channels that are given by index or name; `ValueError` unless each is one, once.

    Nothing is read when definitions load, so names are those of the YAML: `names`, by index.
    """
    count = shape[1] if shape else max([len(names), *(it + 1 for it in channels if isinstance(it, int))])
    for name in [it for it in channels if isinstance(it, str)]:
        if names.count(name) != 1:
            message = (
                f"{name!r} is not the name of one channel in `channel_names`, which are {', '.join(names) or 'none'}; "
                "write its index, or name all channels there"
            )
            raise ValueError(message)
    found = [names.index(it) if isinstance(it, str) else it for it in channels]
    if not all(0 <= index < count for index in found) or len(set(found)) < len(found) or len(names) > count:
        listed = f"0 to {count - 1}{f' ({", ".join(names)})' if len(names) == count else ''}"
        message = f"the image has channels {listed}; name each wanted one once"
        raise ValueError(message)
    return found


def check_names(segmentations: dict[str, Segmentation]) -> dict[str, Segmentation]:
    """Raise `ValueError` if the labels of two segmentations could have the same place."""
    names = {name.lower() for name in segmentations}
    if "segmentation" in names:
        message = "labels without a name are called `segmentation`, so this name would mix with them; choose another"
        raise ValueError(message)
    if len(names) < len(segmentations):
        message = (
            "two names in `segmentations` differ only in upper and lower case, and some disks take them for the same; "
            "rename one"
        )
        raise ValueError(message)
    return segmentations


def _indices(interval: list[int] | str, length: int) -> range:
    return range(length) if isinstance(interval, str) else range(interval[0], interval[1] + 1)
