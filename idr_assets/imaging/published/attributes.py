"""The metadata of a published image: as OME-Zarr has them, and what it says of itself below `idr_assets`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from idr_assets.imaging.channels import Channel
from idr_assets.imaging.ome_zarr.formats import FORMATS
from idr_assets.imaging.ome_zarr.geometry import Geometry
from idr_assets.imaging.output.attributes import (
    describe_label_groups,
    list_axes,
    list_transformations,
)
from idr_assets.imaging.published.layout import Layout

FORMAT = FORMATS["0.5"]

COLOURS = ("00FF00", "FF00FF", "00FFFF", "FFFF00", "FF0000", "0000FF")
"""Of channels to which the image gives none, if there are several; a single one is white."""


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
    shown = {"omero": _omero(layout, look)} if look.contrast else {}
    return FORMAT.placed(_multiscales(layout, geometry, look.name) | shown)


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


def _omero(layout: Layout, look: Look) -> dict[str, Any]:
    whole = layout.dtype.kind in "iu"
    channels = []
    for number, c in enumerate(layout.extent.c):
        known, (start, end) = look.channels.get(c, Channel()), look.contrast.get(c, (0.0, 0.0))
        least, most = (np.iinfo(layout.dtype).min, np.iinfo(layout.dtype).max) if whole else (start, end)
        colour = known.colour or ("FFFFFF" if len(layout.extent.c) == 1 else COLOURS[number % len(COLOURS)])
        window = {"min": float(least), "max": float(most), "start": start, "end": end if end > start else start + 1}
        channels.append({"label": known.name or f"channel {c}", "color": colour, "active": True, "window": window})
    model = "color" if len(channels) > 1 or channels[0]["color"] != "FFFFFF" else "greyscale"
    middle = (len(layout.extent.t) // 2, len(layout.extent.z) // 2)
    return {"channels": channels, "rdefs": {"model": model, "defaultT": middle[0], "defaultZ": middle[1]}}
