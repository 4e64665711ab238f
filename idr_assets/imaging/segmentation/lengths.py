"""Parameters that are given in micrometres, such as `12 um`: what they are in pixels of an image."""

import inspect
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.segmentation.lifting import SegmentationFunction, find_core
from idr_assets.imaging.segmentation.named_function import find_called, import_function

if TYPE_CHECKING:
    from idr_assets.imaging.ome_zarr.geometry import Geometry  # zarr, which definitions do without

POWERS = {"": 1, "2": 2, "²": 2, "3": 3, "³": 3}

LENGTH = re.compile(r"(?P<number>\d+(\.\d*)?([eE][-+]?\d+)?) ?[uµμ]m(?P<power>[23²³]?)")

VOLUME = 3
"""The power of µm that is a volume."""

SQUARE = 0.01
"""Share by which the sides of a pixel may differ."""


def read_micrometres(value: object) -> tuple[float, int] | None:
    """Read a text such as `12 um`, `30 um2` or `500 um3` as a number and its power of µm; None for any other value."""
    found = LENGTH.fullmatch(value.strip()) if isinstance(value, str) else None
    return (float(found["number"]), POWERS[found["power"]]) if found else None


def takes_text(function: SegmentationFunction, name: str) -> bool:
    """Return whether a parameter of a function is a text by its annotation, so that `12 um` is no length there."""
    parameter = inspect.signature(find_core(function)).parameters.get(name)
    return parameter is not None and parameter.annotation in {str, "str"}


def resolve_lengths(
    function: SegmentationFunction, parameters: Mapping[str, Any], geometry: "Geometry"
) -> dict[str, Any]:
    """Return parameters in pixels and voxels in place of µm, also of a function that this one calls.

    Raises
    ------
    ImageError
        If there are any, but the image does not say how large a pixel or voxel is, or its pixels are not square.

    """
    found = {}
    for name, value in parameters.items():
        length = None if takes_text(function, name) else read_micrometres(value)
        found[name] = length[0] / _measure_pixel(name, value, geometry, length[1]) if length else value
    if called := find_called(function, parameters):
        found["parameters"] = resolve_lengths(import_function(called[0]), called[1], geometry)
    return found


def _measure_pixel(name: str, value: object, geometry: "Geometry", power: int) -> float:
    """Return the side of a pixel, its area, or the volume of a voxel."""
    size, area = geometry.pixel_size, geometry.pixel_area
    if power == VOLUME and (volume := geometry.voxel_volume):
        return volume
    if power < VOLUME and size and area and abs(area / size**2 - 1) <= SQUARE:
        return float(size**power)
    unit = "voxel" if power == VOLUME else "pixel"
    known = power < VOLUME and size and area
    problem = f"its pixels are not square, {size} µm wide" if known else f"it does not say how large a {unit} is"
    message = f"{name} is {value!r}, but the image cannot tell what that is in {unit}s: {problem}. Give it in {unit}s."
    raise ImageError(message)
