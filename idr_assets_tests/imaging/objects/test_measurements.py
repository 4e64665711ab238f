"""What is measured of objects, against scikit-image, which measures them one by one."""

import time
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from skimage.measure import regionprops_table

from idr_assets.imaging.objects.measurements import COLUMNS, measure
from idr_assets.imaging.planes import LabelledPlane

DTYPES = ["?", "u1", "i1", ">u2", "<i4", ">i8", "u8", "f2", ">f2", "<f4", ">f4", "f8"]
THEIRS = {
    "label": "label", "area": "area", "centroid_y": "centroid-0", "centroid_x": "centroid-1", "bbox_y0": "bbox-0",
    "bbox_x0": "bbox-1", "bbox_y1": "bbox-2", "bbox_x1": "bbox-3", "equivalent_diameter": "equivalent_diameter_area",
    "eccentricity": "eccentricity", "intensity_mean": "intensity_mean", "intensity_min": "intensity_min",
    "intensity_max": "intensity_max", "intensity_sum": "total",
}  # fmt: skip
CIRCLE = 1e-7
"""Below this, scikit-image's eccentricity is the square root of a rounding error."""

SHAPES = hnp.array_shapes(min_dims=2, max_dims=2, max_side=12)
NUMBERS = st.sampled_from([0, 1, 2, 3, 7, 1000, 2**31 - 1])
SINGLE, FULL = np.zeros((1, 1), np.int32), np.full((3, 3), 9, np.int32)


def total(mask: npt.NDArray[np.bool_], values: npt.NDArray[np.float64]) -> Any:  # noqa: ANN401  a number
    return np.sum(values[mask])


def magnitude(mask: npt.NDArray[np.bool_], values: npt.NDArray[np.float64]) -> Any:  # noqa: ANN401  a number
    return np.sum(np.abs(values[mask]))


@st.composite
def planes(draw: st.DrawFn) -> LabelledPlane:
    labels = draw(hnp.arrays(np.int32, SHAPES, elements=NUMBERS))
    dtype = np.dtype(draw(st.sampled_from(DTYPES)))
    elements = hnp.from_dtype(dtype)
    if dtype == np.float64:  # a sum of larger ones may be infinite or not, by the order of its terms
        elements = st.floats(-1e300, 1e300) | st.sampled_from([np.nan, np.inf, -np.inf])
    return LabelledPlane(2, 0, 1, draw(hnp.arrays(dtype, labels.shape, elements=elements)), labels)


def labelled(labels: npt.NDArray[np.int32], pixels: npt.NDArray[Any] | None = None) -> LabelledPlane:
    return LabelledPlane(2, 0, 1, np.ones(labels.shape) if pixels is None else pixels, labels)


@given(planes())
@example(labelled(SINGLE))
@example(labelled(SINGLE + 1))
@example(labelled(FULL, np.full((3, 3), np.inf)))
@example(labelled(FULL, np.array([[1, np.nan, 0], [np.inf, -np.inf, 0], [1, 2, 3]])))
def test_any_plane_is_measured_as_scikit_image_does(plane: LabelledPlane) -> None:
    pixels = plane.pixels.astype(np.float64)
    properties = {name.partition("-")[0] for name in THEIRS.values()} - {"total"}
    extra = [total, magnitude]
    # scikit-image takes memory for each label up to the highest.
    numbers, order = np.unique(plane.labels, return_inverse=True)
    labels = order.reshape(plane.labels.shape) + (numbers[0] > 0)
    with np.errstate(invalid="ignore", over="ignore"):
        wanted = regionprops_table(labels, pixels, properties=tuple(properties), extra_properties=extra)
    wanted["label"] = numbers[numbers > 0]
    found, rounding = measure("image", plane, 0.25, "DAPI"), 1e-12 * np.nan_to_num(wanted["magnitude"])
    small = {"eccentricity": CIRCLE, "intensity_sum": rounding, "intensity_mean": rounding / found["area"]}
    for ours, theirs in THEIRS.items():
        assert np.isclose(found[ours], wanted[theirs], 1e-9, small.get(ours, 0), equal_nan=True).all(), ours
    assert found["area_um2"].tolist() == (found["area"] / 4).tolist()
    assert set(found) == {column.name for column in COLUMNS}


def test_shapes_that_are_known_have_their_exact_eccentricity() -> None:
    labels = np.zeros((120, 60), np.int32)
    labels[:7, :7], labels[10, :], labels[12:40:2, 5], labels[50, 50] = 1, 2, 3, 4
    labels[100:108, 10:14] = 5
    found = measure("image", labelled(labels), None)["eccentricity"]
    assert found[:4].tolist() == [0, 1, 1, 0]
    assert found[4] == pytest.approx(np.sqrt(1 - (4**2 - 1) / (8**2 - 1)), rel=1e-15)


def test_an_object_far_from_the_first_pixel_has_the_same_shape() -> None:
    labels = np.zeros((30, 300_000), np.int32)
    labels[:, -30:] = 1
    assert measure("image", labelled(labels), None)["eccentricity"].tolist() == [0]


def test_objects_that_touch_the_border_say_so() -> None:
    labels = np.pad(np.arange(1, 10, dtype=np.int32).reshape(3, 3), 0).repeat(2, 0).repeat(2, 1)
    assert measure("image", labelled(labels), None)["touches_border"].tolist() == [True] * 4 + [False] + [True] * 4


def test_thousands_of_objects_take_no_longer_than_a_few_passes() -> None:
    labels = np.arange(1, 20_001, dtype=np.int32).reshape(200, 100).repeat(4, 0).repeat(4, 1)
    start = time.process_time()
    found = measure("image", labelled(labels), None)
    assert time.process_time() - start < 1  # a loop over them takes five seconds
    assert set(found["area"].tolist()) == {16}
