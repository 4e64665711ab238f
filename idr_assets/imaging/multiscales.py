"""What an OME-Zarr image says of its levels: paths, axes, scales and units, in every version from 0.1 to 0.5."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import zarr
from zarr.abc.store import Store
from zarr.errors import NodeNotFoundError

from idr_assets.imaging.errors import ImageError

AXES = "tczyx"
"""Axis order of every array that leaves this package."""

MICROMETRES = {
    "picometer": 1e-6,
    "angstrom": 1e-4,
    "nanometer": 1e-3,
    "micrometer": 1.0,
    "millimeter": 1e3,
    "centimeter": 1e4,
    "meter": 1e6,
}
"""Length of a unit in micrometres, for the units that a microscope's image may have."""


@dataclass(frozen=True)
class Geometry:
    """What the axes of a level are.

    `axes` are those that are stored, in their order. `scale`, the physical size of a step, and `units` are TCZYX and
    None where unknown.
    """

    axes: tuple[str, ...]
    scale: tuple[float | None, ...]
    units: tuple[str | None, ...]

    @property
    def pixel_size(self) -> float | None:
        """Width of a pixel in micrometres, or None where the image does not tell it in a unit of length."""
        factor = MICROMETRES.get(self.units[-1] or "")
        return self.scale[-1] * factor if factor and self.scale[-1] else None


def read_geometry(url: str, level: str, store: Store) -> Geometry:
    """Read the axes of a level; `ImageError` where the store at `url` holds no such level of an OME-Zarr image."""
    _check_path(url, level)
    multiscale = _multiscale(url, store)
    dataset = _dataset(url, level, multiscale)
    axes = _axes(url, multiscale)
    scale = dict(zip(axes, _scale(multiscale, dataset, len(axes)), strict=True))
    return Geometry(tuple(axes), tuple(scale.get(axis) for axis in AXES), tuple(axes.get(axis) for axis in AXES))


def _check_path(url: str, level: str) -> None:
    """Refuse a path that servers and filesystems may read as one outside of the image, or as an address."""
    names = level.split("/")
    if {"", ".", ".."} & set(names) or re.search(r"[%?#\\:\x00-\x1f]", level):
        message = (
            f"Level {level!r} is no path below {url}: pixels might come from elsewhere, and nothing is read. Write the "
            "path that the image's multiscales name, such as `0`, without %, ?, #, :, backslash, `..` or outer slashes."
        )
        raise ImageError(message)


def _multiscale(url: str, store: Store) -> Mapping[str, Any]:
    try:
        attributes = zarr.open_group(store, mode="r", use_consolidated=False).attrs.asdict()
    except (NodeNotFoundError, FileNotFoundError):
        message = f"No Zarr group at {url}: nothing can be read. Check `url`; it ends with the image's folder (.zarr)."
        raise ImageError(message) from None
    multiscales: Any = attributes.get("ome", attributes)
    try:
        multiscale: Mapping[str, Any] = multiscales["multiscales"][0]
    except (KeyError, IndexError, TypeError) as error:
        message = (
            f"The Zarr group at {url} has no `multiscales`: it is no OME-Zarr image. Its keys: {list(attributes)}."
        )
        raise ImageError(message) from error
    return multiscale


def _dataset(url: str, level: str, multiscale: Mapping[str, Any]) -> Mapping[str, Any]:
    datasets = {dataset["path"]: dataset for dataset in multiscale["datasets"]}
    if level not in datasets:
        message = f"Level {level!r} is not in the multiscales of {url}. Set `level` to one of {sorted(datasets)}."
        raise ImageError(message)
    dataset: Mapping[str, Any] = datasets[level]
    return dataset


def _axes(url: str, multiscale: Mapping[str, Any]) -> dict[str, str | None]:
    """Map the stored axes, in their order, to their units; versions 0.1 and 0.2 have TCZYX and say nothing."""
    listed = [axis if isinstance(axis, dict) else {"name": axis} for axis in multiscale.get("axes", AXES)]
    axes = {axis["name"]: axis.get("unit") for axis in listed}
    if [name for name in AXES if name in axes] != list(axes) or not {"y", "x"} <= axes.keys():
        message = (
            f"The axes of {url} are {list(axes)}: no planes can be cut. They must be of t, c, z, y, x in this order."
        )
        raise ImageError(message)
    return axes


def _scale(multiscale: Mapping[str, Any], dataset: Mapping[str, Any], dimensions: int) -> list[float | None]:
    """Multiply the scales of the level and of the whole multiscale image, None where neither is given."""
    transformations = dataset.get("coordinateTransformations", []) + multiscale.get("coordinateTransformations", [])
    scales = [entry["scale"] for entry in transformations if entry.get("type") == "scale"]
    return np.prod(scales, axis=0).tolist() if scales else [None] * dimensions
