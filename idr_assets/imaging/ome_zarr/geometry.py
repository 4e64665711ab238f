"""What an OME-Zarr image says about its levels: paths, axes, scales and units, in every version from 0.1 to 0.6."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf, isfinite
from typing import Any

from zarr.abc.store import Store

from idr_assets.imaging.channels import Channel
from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.ome_zarr.axes import AXES, read_axes
from idr_assets.imaging.ome_zarr.groups import find_image
from idr_assets.imaging.ome_zarr.level_shapes import compare_shapes
from idr_assets.imaging.ome_zarr.multiscales import (
    Multiscale,
    find_dataset,
    is_path_below,
)
from idr_assets.imaging.ome_zarr.transformations import Step, describe_no_size, list_steps, place
from idr_assets.imaging.ome_zarr.units import MICROMETRES
from idr_assets.imaging.store_text import quote


@dataclass(frozen=True)
class Geometry:
    """What the axes of a level are.

    Attributes
    ----------
    axes : tuple of str
        Letters of TCZYX: the stored axes, in the order of the array's dimensions, which may be any order.
    scale : tuple of float or None
        TCZYX: the physical size of a step, finite and above 0, None where unknown. For a smaller level of an image
        without sizes, it is in pixels of the first level.
    translation : tuple of float
        TCZYX: where the centre of the first pixel lies, finite, 0 where unknown.
    units : tuple of str or None
        TCZYX: the unit of scale and translation as OME-NGFF names it, None where the scale is unknown.
    channels : tuple of Channel
        Names and colours of channels, by index; () where the image gives none.
    remarks : tuple of str
        Which metadata are wrong and not used.

    """

    axes: tuple[str, ...]
    scale: tuple[float | None, ...]
    translation: tuple[float, ...]
    units: tuple[str | None, ...]
    channels: tuple[Channel, ...] = field(default=(), compare=False)
    remarks: tuple[str, ...] = field(default=(), compare=False)

    @property
    def pixel_size(self) -> float | None:
        """Width of a pixel in micrometres, or None where the image gives none in a unit of length."""
        return self._micrometres(-1)

    @property
    def pixel_area(self) -> float | None:
        """Area of a pixel in square micrometres, or None where the image does not give its sides."""
        height, width = self._micrometres(-2), self._micrometres(-1)
        return _length(height * width) if height and width else None

    @property
    def voxel_volume(self) -> float | None:
        """Volume of a voxel in cubic micrometres, or None where the image does not give its sides."""
        area, depth = self.pixel_area, self._micrometres(-3)
        return _length(area * depth) if area and depth else None

    def _micrometres(self, axis: int) -> float | None:
        factor, size = MICROMETRES.get(self.units[axis] or ""), self.scale[axis]
        return _length(size * factor) if factor and size else None


def read_geometry(url: str, level: str, store: Store) -> Geometry:
    """Read the axes of a level, their scales, units and places.

    Parameters
    ----------
    url : str
        The address of the store as messages show it.
    level : str
        Path of the level in the image's multiscales.
    store : Store
        The store of the image; its documents are read, and no pixels.

    Raises
    ------
    NoImageError
        Where there is no OME-Zarr image in the store.
    ImageError
        Where the image does not have this level, or its axes or its version are not known.

    """
    check_path(url, level)
    remarks: list[str] = []
    multiscale = find_image(url, level, store, remarks)
    dataset = find_dataset(url, multiscale, level)
    axes = read_axes(url, multiscale, dataset, remarks)
    placed = place(url, _chain(multiscale, dataset), len(axes), remarks)
    scales, translations = placed or compare_shapes(multiscale.paths()[0], level, len(axes), store)
    scale = dict(zip(axes, map(_length, scales), strict=True))
    if wrong := [axis for axis, step in zip(axes, scales, strict=True) if step is not None and not scale[axis]]:
        remarks.append(describe_no_size(url, wrong))
    translation = dict(zip(axes, translations, strict=True))
    return Geometry(
        axes=tuple(axes),
        scale=tuple(scale.get(axis) for axis in AXES),
        translation=tuple(shift if isfinite(shift := translation.get(axis, 0.0)) else 0.0 for axis in AXES),
        units=tuple(axes.get(axis) if placed and scale.get(axis) else None for axis in AXES),
        channels=multiscale.channels,
        remarks=tuple(remarks),
    )


def check_path(url: str, level: str) -> None:
    """Refuse a path that may lead out of the image."""
    if not is_path_below(level):
        message = (
            f"Level {quote(level)} is not a path below {url}: pixels might come from elsewhere, and nothing is read. "
            "Write the path that the image's multiscales name, such as `0`, without %, ?, #, :, backslash, `..` or "
            "outer slashes."
        )
        raise ImageError(message)


def _chain(multiscale: Multiscale, dataset: Mapping[str, Any]) -> list[Step]:
    """List the transformations of a level: its own transformations, and up to 0.5 those of the whole image.

    From 0.6 on those lead from the image's own coordinate system to others.
    """
    own = list(list_steps(dataset.get("coordinateTransformations")))
    if multiscale.has_systems:
        return own
    return own + list(list_steps(multiscale.entry.get("coordinateTransformations")))


def _length(step: float | None) -> float | None:
    """Give a step that is finite and above 0; None for any other, which is no size."""
    return step if step is not None and 0 < step < inf else None
