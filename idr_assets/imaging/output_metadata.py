"""The OME-Zarr attributes of the output."""

from typing import Any

from idr_assets.imaging.formats import Format
from idr_assets.imaging.multiscales import AXES
from idr_assets.imaging.source import Level


def image_attributes(level: Level, name: str, written_as: Format) -> dict[str, Any]:
    """Describe the pixels of `level`, named `name`."""
    return written_as.placed(_image(level, name))


def label_attributes(level: Level, name: str, written_as: Format) -> dict[str, Any]:
    """Describe the labels `name` of `level`, and name the image that they belong to."""
    background = {"label-value": 0, "class": "background"}
    about = {"version": written_as.version, "source": {"image": "../../"}, "properties": [background]}
    return written_as.placed(_image(level, name) | {"image-label": about})


def list_attributes(names: list[str], written_as: Format) -> dict[str, Any]:
    """List the label groups of an image, as the group that holds them does."""
    return written_as.placed({"labels": names})


def _image(level: Level, name: str) -> dict[str, Any]:
    """Describe a multiscale image of one level, which both the pixels and the labels are."""
    types = {"t": "time", "c": "channel"}
    axes = [
        {"name": axis, "type": types.get(axis, "space")} | ({"unit": unit} if unit else {})
        for axis, unit in zip(AXES, level.geometry.units, strict=True)
    ]
    scale = [1.0 if step is None else step for step in level.geometry.scale]
    placed: list[dict[str, Any]] = [{"type": "scale", "scale": scale}]
    if any(level.geometry.translation):
        placed.append({"type": "translation", "translation": list(level.geometry.translation)})
    dataset = {"path": "0", "coordinateTransformations": placed}
    return {"multiscales": [{"name": name, "axes": axes, "datasets": [dataset]}]}
