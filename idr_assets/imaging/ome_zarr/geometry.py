"""What an OME-Zarr image says of its levels: paths, axes, scales and units, in every version from 0.1 to 0.5."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf, isfinite
from typing import Any

import numpy as np
import zarr
from zarr.abc.store import Store
from zarr.errors import NodeNotFoundError

from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.ome_zarr.units import MICROMETRES, named_unit
from idr_assets.imaging.store_text import quote, quote_all

AXES = "tczyx"
"""Axis order of every array that leaves this package."""


@dataclass(frozen=True)
class Geometry:
    """What the axes of a level are.

    `axes` are those that are stored, in their order. `scale`, the physical size of a step, is TCZYX, finite and above
    0, or None where unknown, as is then its entry in `units`; `translation`, where the first pixel's centre lies, is
    TCZYX, finite, and 0 where unknown. Of a smaller level of an image that tells no sizes, both are in pixels of the
    first level.
    """

    axes: tuple[str, ...]
    scale: tuple[float | None, ...]
    translation: tuple[float, ...]
    units: tuple[str | None, ...]

    @property
    def pixel_size(self) -> float | None:
        """Width of a pixel in micrometres, or None where the image does not tell it in a unit of length."""
        return self._micrometres(-1)

    @property
    def pixel_area(self) -> float | None:
        """Area of a pixel in square micrometres, or None where the image does not tell its sides."""
        height, width = self._micrometres(-2), self._micrometres(-1)
        return _length(height * width) if height and width else None

    def _micrometres(self, axis: int) -> float | None:
        factor, size = MICROMETRES.get(self.units[axis] or ""), self.scale[axis]
        return _length(size * factor) if factor and size else None


def read_geometry(url: str, level: str, store: Store) -> Geometry:
    """Read the axes of a level; `ImageError` where the store at `url` holds no such level of an OME-Zarr image."""
    _check_path(url, level)
    multiscale = _multiscale(url, store)
    dataset = _dataset(url, level, multiscale)
    axes = _axes(url, multiscale)
    placed = _placed(multiscale, dataset, len(axes))
    scales, translations = placed or _compared(multiscale, dataset, len(axes), store)
    scale = dict(zip(axes, map(_length, scales), strict=True))
    translation = dict(zip(axes, translations, strict=True))
    return Geometry(
        axes=tuple(axes),
        scale=tuple(scale.get(axis) for axis in AXES),
        translation=tuple(shift if isfinite(shift := translation.get(axis, 0.0)) else 0.0 for axis in AXES),
        units=tuple(axes.get(axis) if placed and scale.get(axis) else None for axis in AXES),
    )


def _check_path(url: str, level: str) -> None:
    """Refuse a path that servers and filesystems may read as one outside of the image, or as an address."""
    names = level.split("/")
    if {"", ".", ".."} & set(names) or re.search(r"[%?#\\:\x00-\x1f]", level):
        message = (
            f"Level {quote(level)} is no path below {url}: pixels might come from elsewhere, and nothing is read. "
            "Write the path that the image's multiscales name, such as `0`, without %, ?, #, :, backslash, `..` or "
            "outer slashes."
        )
        raise ImageError(message)


def _multiscale(url: str, store: Store) -> Mapping[str, Any]:
    try:
        attributes = zarr.open_group(store, mode="r", use_consolidated=False).attrs.asdict()
    except (NodeNotFoundError, FileNotFoundError):
        message = f"No Zarr group at {url}: nothing can be read. Check `url`; a relative one is below IDR_ASSETS_DATA."
        raise ImageError(message) from None
    multiscales: Any = attributes.get("ome", attributes)
    try:
        multiscale: Mapping[str, Any] = multiscales["multiscales"][0]
    except (KeyError, IndexError, TypeError) as error:
        message = (
            f"The Zarr group at {url} has no `multiscales`: it is no OME-Zarr image. Its keys: {quote_all(attributes)}."
        )
        raise ImageError(message) from error
    return multiscale


def _dataset(url: str, level: str, multiscale: Mapping[str, Any]) -> Mapping[str, Any]:
    datasets = {dataset["path"]: dataset for dataset in multiscale["datasets"]}
    if level not in datasets:
        there = quote_all(sorted(datasets))
        message = f"Level {quote(level)} is not in the multiscales of {url}. Set `level` to one of {there}."
        raise ImageError(message)
    dataset: Mapping[str, Any] = datasets[level]
    return dataset


def _axes(url: str, multiscale: Mapping[str, Any]) -> dict[str, str | None]:
    """Map the stored axes, in their order, to their units; versions 0.1 and 0.2 have TCZYX and say nothing."""
    listed = [axis if isinstance(axis, dict) else {"name": axis} for axis in multiscale.get("axes", AXES)]
    axes = {axis["name"]: named_unit(axis["name"], str(axis.get("unit"))) for axis in listed}
    if [name for name in AXES if name in axes] != list(axes) or not {"y", "x"} <= axes.keys():
        message = (
            f"The axes of {url} are {quote_all(axes)}: no planes can be cut. They must be of t, c, z, y, x in this "
            "order."
        )
        raise ImageError(message)
    return axes


def _length(step: float | None) -> float | None:
    """Give a step that is finite and above 0; None for any other, which says nothing of an image."""
    return step if step is not None and 0 < step < inf else None


def _placed(
    multiscale: Mapping[str, Any], dataset: Mapping[str, Any], dimensions: int
) -> tuple[list[float], list[float]] | None:
    """Chain the transformations of the level and of the whole multiscale image; None without any scale."""
    transformations = dataset.get("coordinateTransformations", []) + multiscale.get("coordinateTransformations", [])
    scale, translation = np.ones(dimensions), np.zeros(dimensions)
    with np.errstate(over="ignore", invalid="ignore"):
        for each in transformations:
            scale *= each.get("scale", 1.0)
            translation = translation * each.get("scale", 1.0) + each.get("translation", 0.0)
    known = any("scale" in each for each in transformations)
    return (scale.tolist(), translation.tolist()) if known else None


def _compared(
    multiscale: Mapping[str, Any], dataset: Mapping[str, Any], dimensions: int, store: Store
) -> tuple[Sequence[float | None], list[float]]:
    """Lay a level over the first one by their shapes; of the first one itself, or without it, no scale is known."""
    paths = [it["path"] for it in (multiscale["datasets"][0], dataset)]
    shapes = [_shape(store, path) for path in paths] if len(set(paths)) > 1 else []
    if {len(shape) for shape in shapes} != {dimensions}:
        return [None] * dimensions, [0.0] * dimensions
    factors = [_factor(many, few) for many, few in zip(*shapes, strict=True)]
    return factors, [(factor - 1) / 2 for factor in factors]


def _shape(store: Store, path: str) -> tuple[int, ...]:
    """Give the shape of an array, () where it is not there."""
    try:
        return zarr.open_array(store, path=path, mode="r").shape
    except (NodeNotFoundError, FileNotFoundError):
        return ()


def _factor(many: int, few: int) -> float:
    """Tell by which factor an axis was reduced: a whole one where that leaves `few` pixels, rounded either way."""
    whole = max(1, round(many / few))
    return float(whole) if few in {many // whole, -(-many // whole)} else many / few
