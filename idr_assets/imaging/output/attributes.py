"""Write the OME-Zarr attributes of the output."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from idr_assets.imaging.channels import Channel
from idr_assets.imaging.ome_zarr.axes import AXES
from idr_assets.imaging.ome_zarr.channels import read_channels, show_channels, store_channels
from idr_assets.imaging.ome_zarr.formats import Format
from idr_assets.imaging.ome_zarr.geometry import Geometry
from idr_assets.imaging.reading.level import Level


def describe_image(level: Level, name: str, written_as: Format) -> dict[str, Any]:
    """Describe the pixels of `level`, named `name`."""
    return written_as.placed(_image(level, name) | _show(level, level.geometry.channels))


def describe_labels(level: Level, name: str, written_as: Format) -> dict[str, Any]:
    """Describe the labels `name` of `level`, with a link to their image."""
    background = {"label-value": 0, "class": "background"}
    about = {"version": written_as.version, "source": {"image": "../../"}, "properties": [background]}
    return written_as.placed(_image(level, name) | {"image-label": about})


def describe_again(attributes: dict[str, Any], level: Level, written_as: Format) -> dict[str, Any]:
    """Give attributes of an image or labels the axes, scale, translation and channels of `level`; all else stays."""
    stored = attributes.get("ome", attributes)
    name = stored["multiscales"][0].get("name", "")
    own = attributes["idr_assets"]
    if "level" not in own:
        return attributes | written_as.placed(stored | _image(level, name))
    former = _show(level, read_channels({"idr_assets": own})).get("omero")
    if former and stored.get("omero") == former:  # what a person wrote there stays
        stored, attributes = ({key: it[key] for key in it if key != "omero"} for it in (stored, attributes))
    shown = {} if "omero" in stored else _show(level, level.geometry.channels)
    described = written_as.placed(stored | _image(level, name) | shown)
    return attributes | {"idr_assets": describe_source(level)} | described


def describe_source(level: Level) -> dict[str, Any]:
    """Return what the output notes of its source for itself: the level, and the channels as far as they are known."""
    known = {"channels": store_channels(level.geometry.channels)} if level.geometry.channels else {}
    return {"level": level.path, **known}


def _show(level: Level, channels: Sequence[Channel]) -> dict[str, Any]:
    """Return the `omero` metadata of the channels of a level; nothing unless their contrast is known."""
    return show_channels(dict(enumerate(channels)), level.dtype) if len(channels) == level.shape[1] else {}


def complete_geometry(level: Level) -> Geometry:
    """Return the geometry of `level` as the output has it: all axes, and a scale of 1 where none is known."""
    return replace(
        level.geometry, axes=tuple(AXES), scale=tuple(1.0 if step is None else step for step in level.geometry.scale)
    )


def describe_label_groups(names: list[str], written_as: Format) -> dict[str, Any]:
    """List the label groups of an image, for the group that contains them."""
    return written_as.placed({"labels": names})


def list_axes(units: Sequence[str | None]) -> list[dict[str, str]]:
    """List the axes TCZYX with their units."""
    types = {"t": "time", "c": "channel"}
    return [
        {"name": axis, "type": types.get(axis, "space")} | ({"unit": unit} if unit else {})
        for axis, unit in zip(AXES, units, strict=True)
    ]


def list_transformations(scale: Sequence[float | None], translation: Sequence[float]) -> list[dict[str, Any]]:
    """List the scale and, unless it is 0, the translation of a level."""
    placed: list[dict[str, Any]] = [{"type": "scale", "scale": list(scale)}]
    return placed + ([{"type": "translation", "translation": list(translation)}] if any(translation) else [])


def _image(level: Level, name: str) -> dict[str, Any]:
    """Describe a multiscale image with one level, as pixels and labels both are."""
    geometry = complete_geometry(level)
    placed = list_transformations(geometry.scale, geometry.translation)
    dataset = {"path": "0", "coordinateTransformations": placed}
    return {"multiscales": [{"name": name, "axes": list_axes(geometry.units), "datasets": [dataset]}]}
