"""What is measured of each object of a label plane, and what each column of the table of objects means.

How tables are stored and read stands in `objects`.
"""

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from skimage.measure import regionprops_table

from idr_assets.imaging.planes import LabelledPlane

type Columns = dict[str, npt.NDArray[Any]]

VERSION: Final = "2"
"""Raised when the same labels and pixels get other numbers: tables of another version are measured again."""


class Column(NamedTuple):
    """A column of the table: its Arrow type, and what it means, with its unit."""

    name: str
    type: str
    meaning: str


COLUMNS: Final = (
    Column("image", "string", "name of the image"),
    Column("t", "int32", "timepoint, true index"),
    Column("c", "int32", "channel, true index"),
    Column("z", "int32", "slice, true index"),
    Column("label", "int32", "value of the object's pixels in its label plane, from 1"),
    Column("area", "int64", "area in pixels"),
    Column("area_um2", "float64", "area in µm²; null where the image does not tell the size of a pixel"),
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

_PROPERTIES: Final = {
    "label": "label", "area": "area", "centroid-0": "centroid_y", "centroid-1": "centroid_x", "bbox-0": "bbox_y0",
    "bbox-1": "bbox_x0", "bbox-2": "bbox_y1", "bbox-3": "bbox_x1", "equivalent_diameter_area": "equivalent_diameter",
    "eccentricity": "eccentricity", "intensity_mean": "intensity_mean", "intensity_min": "intensity_min",
    "intensity_max": "intensity_max",
}  # fmt: skip
"""Columns by scikit-image's names; a name with a number is a part of the property before the hyphen."""


def measured(image: str, plane: LabelledPlane, pixel_area: float | None) -> Columns:
    """Measure the objects of a plane, in the order of their labels: an array for each of `COLUMNS`, `image` as bytes.

    `pixel_area` is in µm²; where it is None, `area_um2` is left out. Intensities are NaN where a pixel of the object
    is.
    """
    pixels = plane.pixels.astype(np.float64)  # of any dtype and byte order, which scikit-image does not take
    properties = dict.fromkeys(name.partition("-")[0] for name in _PROPERTIES)
    found = regionprops_table(plane.labels, pixels, properties=tuple(properties))
    columns: Columns = {ours: found[theirs] for theirs, ours in _PROPERTIES.items()}
    where = {"image": image.encode(), "t": plane.t, "c": plane.c, "z": plane.z}
    columns |= {name: np.full(columns["label"].shape, value) for name, value in where.items()}
    if pixel_area is not None:
        columns["area_um2"] = columns["area"] * pixel_area
    columns["intensity_sum"] = np.asarray(ndimage.sum_labels(pixels, plane.labels, columns["label"]), np.float64)
    columns["touches_border"] = _touching(columns, plane.labels.shape)
    return columns


def _touching(columns: Columns, shape: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    before = (columns["bbox_y0"] == 0) | (columns["bbox_x0"] == 0)
    after = (columns["bbox_y1"] == shape[0]) | (columns["bbox_x1"] == shape[1])
    touching: npt.NDArray[np.bool_] = before | after
    return touching
