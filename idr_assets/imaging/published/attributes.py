"""The metadata of a published image: as OME-Zarr has them, and what it says of itself below `idr_assets`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from idr_assets.imaging.channels import Channel
from idr_assets.imaging.ome_zarr.channels import show_channels
from idr_assets.imaging.ome_zarr.formats import FORMATS
from idr_assets.imaging.ome_zarr.geometry import Geometry
from idr_assets.imaging.output.attributes import (
    describe_label_groups,
    list_axes,
    list_transformations,
)
from idr_assets.imaging.published.layout import Layout

FORMAT = FORMATS["0.5"]


@dataclass(frozen=True)
class Look:
    """How an image is shown.

    Attributes
    ----------
    name : str
        The image.
    channels : mapping of int to Channel
        Names and colours by index, as far as they are known.
    contrast : mapping of int to tuple of float
        The intensities that are black and white, by index of the channel; empty if no plane is stored.

    """

    name: str
    channels: Mapping[int, Channel]
    contrast: Mapping[int, tuple[float, float]]


def describe_pixels(layout: Layout, geometry: Geometry, look: Look) -> dict[str, Any]:
    """Describe the image: its levels, and its channels if their contrast is known."""
    nothing = min(look.contrast.values(), default=None)  # of channels that are not segmented, which have no pixels
    channels = {
        c: replace(look.channels.get(c, Channel()), contrast=look.contrast.get(c, nothing)) for c in layout.extent.c
    }
    return FORMAT.placed(_multiscales(layout, geometry, look.name) | show_channels(channels, layout.dtype))


def describe_labels(layout: Layout, geometry: Geometry, name: str) -> dict[str, Any]:
    """Describe a label group, with a link to the image."""
    background = {"label-value": 0, "class": "background"}
    about = {"version": FORMAT.version, "source": {"image": "../../"}, "properties": [background]}
    return FORMAT.placed(_multiscales(layout, geometry, name) | {"image-label": about})


def describe_labels_of_image(names: Sequence[str]) -> dict[str, Any]:
    """List the label groups."""
    return describe_label_groups([*names], FORMAT)


def describe_origin(layout: Layout) -> dict[str, Any]:
    """Say which indices of the image the planes have: the first of t and z, and each channel."""
    return {"t": layout.extent.t.start, "c": [*layout.extent.c], "z": layout.extent.z.start}


def _multiscales(layout: Layout, geometry: Geometry, name: str) -> dict[str, Any]:
    scale = [step or 1.0 for step in geometry.scale]
    first = (layout.extent.t.start, 0, layout.extent.z.start, 0, 0)
    moved = [place + step * at for place, step, at in zip(geometry.translation, scale, first, strict=True)]
    datasets = []
    for level in layout.levels:
        wider = [1, 1, 1, level.factor, level.factor]
        # The centre of the first pixel lies amid the pixels that it stands for.
        centre = [place + step * (by - 1) / 2 for place, step, by in zip(moved, scale, wider, strict=True)]
        placed = list_transformations([step * by for step, by in zip(scale, wider, strict=True)], centre)
        datasets.append({"path": level.path, "coordinateTransformations": placed})
    return {"multiscales": [{"name": name, "axes": list_axes(geometry.units), "datasets": datasets}]}
