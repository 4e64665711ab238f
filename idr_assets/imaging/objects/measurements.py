"""What is measured of each object of a label plane, and what each column means. `tables` stores and reads them."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from idr_assets.imaging.planes import LabelledPlane

type Columns = dict[str, npt.NDArray[Any]]

VERSION: Final = "4"
"""Increased when the same labels and pixels get other numbers; tables of another version are measured again."""


class Column(NamedTuple):
    """A column of the table: its name, its Arrow type, and its meaning with the unit."""

    name: str
    type: str
    meaning: str


COLUMNS: Final = (
    Column("image", "string", "name of the image"),
    Column("t", "int32", "timepoint, true index"),
    Column("c", "int32", "channel, true index"),
    Column("channel", "string", "name of the channel; null if it has none"),
    Column("z", "int32", "slice, true index"),
    Column("label", "int32", "value of the object's pixels in its label plane, from 1"),
    Column("area", "int64", "area in pixels"),
    Column("area_um2", "float64", "area in µm²; null if the pixel size is unknown"),
    Column("centroid_y", "float64", "mean y of the object's pixels, in pixels from the middle of the first row"),
    Column("centroid_x", "float64", "mean x of the object's pixels, in pixels from the middle of the first column"),
    Column("bbox_y0", "int32", "first row of the bounding box, in pixels"),
    Column("bbox_x0", "int32", "first column of the bounding box, in pixels"),
    Column("bbox_y1", "int32", "row after the last one of the bounding box, in pixels"),
    Column("bbox_x1", "int32", "column after the last one of the bounding box, in pixels"),
    Column("equivalent_diameter", "float64", "diameter of a circle of the same area, in pixels"),
    Column("eccentricity", "float64", "of the ellipse with the same second moments: 0 a circle, towards 1 a line"),
    Column("intensity_mean", "float64", "mean intensity, in arbitrary units"),
    Column("intensity_min", "float64", "minimum intensity, in arbitrary units"),
    Column("intensity_max", "float64", "maximum intensity, in arbitrary units"),
    Column("intensity_sum", "float64", "sum of the intensities of all pixels, in arbitrary units"),
    Column("touches_border", "bool", "whether the object touches the border of the plane, and may be cut off"),
)


class _Objects(NamedTuple):
    """The pixels of all objects of a plane, sorted by label, in raster order within each object."""

    labels: npt.NDArray[np.int32]  # (objects,), ascending
    areas: npt.NDArray[np.int64]  # (objects,), in pixels
    starts: npt.NDArray[np.intp]  # (objects,), index of the first pixel of each
    pixels: npt.NDArray[np.intp]  # (pixels,), indices into the flat plane

    def reduce(self, ufunc: np.ufunc, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Reduce values (pixels,) to one value per object."""
        reduced: npt.NDArray[Any] = ufunc.reduceat(values, self.starts)
        return reduced


class Part(NamedTuple):
    """Where a part of a plane lies: its first row and column, and the shape of the plane."""

    top: int
    left: int
    shape: tuple[int, ...]


def measure(
    image: str,
    plane: LabelledPlane,
    pixel_area: float | None,
    channel: str | None = None,
    part: Part | None = None,
) -> Columns:
    """Measure the objects of a plane, in the order of their labels.

    Parameters
    ----------
    image
        Name of the image.
    plane
        Pixels (y, x) of any real dtype and byte order; the labels may have gaps.
    pixel_area
        In µm²; None leaves out the column `area_um2`.
    channel
        Name of the channel; None leaves out the column `channel`.
    part
        Where `plane` lies in its plane, if it is only a part of it that holds whole objects.

    Returns
    -------
    Columns
        An array (objects,) for each of `COLUMNS`; `image` and `channel` hold bytes. An object with a NaN
        pixel has intensities that are NaN.
    """
    objects = _sort(plane.labels)
    where = {"image": image.encode(), "t": plane.t, "c": plane.c, "z": plane.z}
    columns: Columns = {name: np.full(objects.labels.shape, value) for name, value in where.items()}
    if channel is not None:
        columns["channel"] = np.full(objects.labels.shape, channel.encode())
    columns |= {"label": objects.labels, "area": objects.areas}
    if pixel_area is not None:
        columns["area_um2"] = objects.areas * pixel_area
    of_plane, shape = _place(objects, plane.labels.shape[1], part) if part else (objects, plane.labels.shape)
    return columns | _shapes(of_plane, shape) | _intensities(objects, plane.pixels)


def measure_channels(labels: npt.NDArray[np.int32], pixels: Mapping[str, npt.NDArray[Any]]) -> Columns:
    """Measure the intensities of the objects of a plane in channels, whose names end those of the columns."""
    objects = _sort(labels)
    each = ((channel, _intensities(objects, values)) for channel, values in pixels.items())
    return {f"{name}_{channel}": column for channel, found in each for name, column in found.items()}


# Everything is computed by passes over the pixels of all objects at once: a loop takes half a millisecond per object,
# which is most of a run when a plane has thousands.


def _sort(labels: npt.NDArray[np.int32]) -> _Objects:
    inside = np.flatnonzero(labels > 0)
    of_pixels = labels.ravel()[inside]
    order = np.argsort(of_pixels, kind="stable")
    found, starts, areas = np.unique(of_pixels[order], return_index=True, return_counts=True)
    return _Objects(found, areas, starts, inside[order])


def _place(objects: _Objects, width: int, part: Part) -> tuple[_Objects, tuple[int, ...]]:
    """Return objects of a part of this width with indices into the plane, and the shape of that."""
    y, x = np.divmod(objects.pixels, width)
    return objects._replace(pixels=(y + part.top) * part.shape[1] + x + part.left), part.shape


def _shapes(objects: _Objects, shape: tuple[int, ...]) -> Columns:
    y, x = np.divmod(objects.pixels, shape[1])
    top, left = (objects.reduce(np.minimum, axis) for axis in (y, x))
    bottom, right = (objects.reduce(np.maximum, axis) + 1 for axis in (y, x))
    return {
        "centroid_y": objects.reduce(np.add, y) / objects.areas,
        "centroid_x": objects.reduce(np.add, x) / objects.areas,
        "bbox_y0": top,
        "bbox_x0": left,
        "bbox_y1": bottom,
        "bbox_x1": right,
        "equivalent_diameter": np.sqrt(4 / np.pi * objects.areas),
        "eccentricity": _eccentricity(objects, y, x),
        "touches_border": (top == 0) | (left == 0) | (bottom == shape[0]) | (right == shape[1]),
    }


def _eccentricity(objects: _Objects, y: npt.NDArray[np.intp], x: npt.NDArray[np.intp]) -> npt.NDArray[np.float64]:
    """Compute sqrt(1 - b²/a²) from the second moments, where a ≥ b are the half axes of the ellipse."""
    dy, dx = (_from_centre(objects, axis) for axis in (y, x))
    yy, xx, yx = (_moment(objects, *pair) for pair in ((dy, dy), (dx, dx), (dy, dx)))
    difference = np.hypot(yy - xx, 2 * yx)  # of the moments along the two axes; yy + xx is their sum
    total = yy + xx + difference
    return np.sqrt(2 * difference / np.where(total, total, 1))  # a pixel alone has no moments


def _from_centre(objects: _Objects, axis: npt.NDArray[np.intp]) -> npt.NDArray[np.float64]:
    """Return coordinates relative to the centroid, rounded down: sums of small whole numbers are exact."""
    centre = objects.reduce(np.add, axis) // objects.areas
    return (axis - centre.repeat(objects.areas)).astype(np.float64)


def _moment(objects: _Objects, one: npt.NDArray[np.float64], other: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Compute the central second moment of two axes, multiplied by the squared area."""
    sums = objects.reduce(np.add, one) * objects.reduce(np.add, other)
    moment: npt.NDArray[np.float64] = objects.areas * objects.reduce(np.add, one * other) - sums
    return moment


def _intensities(objects: _Objects, pixels: npt.NDArray[Any]) -> Columns:
    values = pixels.ravel()[objects.pixels].astype(np.float64)
    with np.errstate(invalid="ignore", over="ignore"):  # NaN, and sums that overflow
        total = objects.reduce(np.add, values)
        return {
            "intensity_mean": total / objects.areas,
            "intensity_min": objects.reduce(np.minimum, values),
            "intensity_max": objects.reduce(np.maximum, values),
            "intensity_sum": total,
        }
