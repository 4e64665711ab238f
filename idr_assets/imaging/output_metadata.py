"""The OME-Zarr 0.5 attributes of the output."""

from typing import Any

from idr_assets.imaging.multiscales import AXES
from idr_assets.imaging.source import Level


def label_attributes(level: Level) -> dict[str, Any]:
    """Describe the labels of `level`, and name the image that they belong to."""
    ome: dict[str, Any] = image_attributes(level, "segmentation")["ome"]
    return {"ome": ome | {"image-label": {"source": {"image": "../../"}}}}


def image_attributes(level: Level, name: str) -> dict[str, Any]:
    """Describe a multiscale image of one level, which both the pixels and the labels are."""
    types = {"t": "time", "c": "channel"}
    axes = [
        {"name": axis, "type": types.get(axis, "space")} | ({"unit": unit} if unit else {})
        for axis, unit in zip(AXES, level.geometry.units, strict=True)
    ]
    scale = [1.0 if step is None else step for step in level.geometry.scale]
    dataset = {"path": "0", "coordinateTransformations": [{"type": "scale", "scale": scale}]}
    return {"ome": {"version": "0.5", "multiscales": [{"name": name, "axes": axes, "datasets": [dataset]}]}}
