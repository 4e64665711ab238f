"""Greys of pixels and outlines of objects, against naive computations and scikit-image."""

import re

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image
from skimage.segmentation import find_boundaries

from idr_assets.imaging.figures import colours
from idr_assets.imaging.figures.palette import PALETTE, label_colours

type Labels = npt.NDArray[np.int32]

SIDES = hnp.array_shapes(min_dims=2, max_dims=2, max_side=12)
LABELS = hnp.arrays(np.int32, SIDES, elements=st.integers(0, 9))
MASKS = hnp.arrays(np.bool_, hnp.array_shapes(min_dims=2, max_dims=2, max_side=24))
REAL_DTYPES = hnp.boolean_dtypes() | hnp.integer_dtypes() | hnp.unsigned_integer_dtypes() | hnp.floating_dtypes()
PIXELS = REAL_DTYPES.flatmap(lambda dtype: hnp.arrays(dtype, SIDES))


@given(LABELS)
def test_outlines_are_the_inner_boundaries(labels: Labels) -> None:
    found = colours.outlines(label_colours(labels))
    assert np.array_equal(found, find_boundaries(labels, connectivity=2, mode="inner"))


@given(PIXELS)
def test_greys_exist_for_pixels_of_any_real_dtype(pixels: npt.NDArray[np.generic]) -> None:
    shades = colours.grey(pixels, *colours.contrast([pixels]))
    assert shades.dtype == np.uint8
    assert shades.shape == pixels.shape


@given(hnp.arrays(np.int32, SIDES))
def test_greys_keep_the_order_of_pixels(pixels: Labels) -> None:
    order = np.argsort(pixels, axis=None)
    shades = colours.grey(pixels, *colours.contrast([pixels])).ravel()[order]
    assert np.all(np.diff(shades.astype(int)) >= 0)


def test_greys_span_the_range_and_cut_what_is_outside() -> None:
    pixels = np.array([[-5, 10, 20, 30, 99, np.nan, np.inf, -np.inf]])
    assert colours.grey(pixels, 10, 30).tolist() == [[0, 0, 128, 255, 255, 0, 255, 0]]


@pytest.mark.parametrize("pixels", [np.full((4, 4), 7), np.full((4, 4), np.nan), np.full((4, 4), np.inf)])
def test_planes_without_contrast_are_black(pixels: npt.NDArray[np.float64]) -> None:
    assert not colours.grey(pixels, *colours.contrast([pixels])).any()


def test_contrast_is_shared_and_ignores_a_hot_pixel() -> None:
    dark = np.random.default_rng(0).normal(100, 5, (128, 135))
    bright = dark * 10
    dark[5, 5] = 60000
    black, white = colours.contrast([dark, bright])
    assert 80 < black < 100
    assert 1000 < white < 1300


def test_all_columns_of_large_planes_set_the_range() -> None:
    pixels = np.full((1000, 1000), 177, np.uint16)
    pixels[:, ::5] = 5000  # of a million pixels, every fifth is looked at
    assert colours.contrast([pixels]) == (177, 5000)


def test_the_range_is_that_which_captions_name() -> None:
    pixels = np.random.default_rng(0).integers(0, 5000, (128, 135))
    named = [float(number) for number in re.findall(r"[\d.]+\d|\d", colours.GREY_RANGE)]
    assert colours.contrast([pixels]) == tuple(np.percentile(pixels, named, method="nearest"))


def test_fit_enlarges_by_a_whole_factor() -> None:
    shades = np.arange(6, dtype=np.uint8).reshape(2, 3)
    labels = np.array([[0, 1, 1], [2, 0, 0]], np.int32)
    larger, coloured = colours.fit(shades, labels, side=14)
    squares = np.ones((4, 4), np.uint8)
    assert np.array_equal(larger, np.kron(shades, squares))
    assert np.array_equal(coloured, np.kron(label_colours(labels), squares))


def test_fit_averages_pixels_that_it_reduces() -> None:
    shades = np.array([[0, 100, 10, 10], [100, 200, 10, 10]], np.uint8)
    smaller, coloured = colours.fit(shades, np.ones((2, 4), np.int32), side=2)
    assert smaller.tolist() == [[100, 10]]
    assert coloured.tolist() == [[1, 1]]


@given(st.integers(1, 900), st.integers(1, 300))
def test_fit_picks_the_labels_that_pillow_picks(width: int, side: int) -> None:
    labels = np.repeat(np.arange(1, width + 1, dtype=np.int32)[np.newaxis] % 7, 3, axis=0)
    side = min(side, width)
    _, found = colours.fit(np.zeros(labels.shape, np.uint8), labels, side)
    picked = Image.fromarray(labels).resize(found.shape[::-1], Image.Resampling.NEAREST)
    assert np.array_equal(found == 0, np.asarray(picked) == 0)


def test_greys_of_parts_are_those_of_the_plane(monkeypatch: pytest.MonkeyPatch) -> None:
    plane = np.random.default_rng(0).normal(100, 30, (50, 40)).astype(">f4")
    whole = colours.grey(plane, 40.0, 160.0)
    monkeypatch.setattr(colours, "_AT_ONCE", 300)
    assert np.array_equal(colours.grey(plane, 40.0, 160.0), whole)


def test_an_overlay_tints_objects_inside_and_nothing_else() -> None:
    labels = np.zeros((9, 9), np.uint8)
    labels[1:8, 1:8] = 1
    picture = colours.overlay(np.full((9, 9), 100, np.uint8), labels)
    assert len(set(picture[4, 4, :3].tolist())) > 1
    assert picture[0, 0].tolist() == [100, 100, 100, 255]
    assert picture[1, 1].tolist() == [*PALETTE[1], 255]  # its outline


def test_a_range_below_the_smallest_normal_number_has_greys() -> None:
    pixels = np.array([[2.22507386e-313, 0.0]])
    assert colours.grey(pixels, *colours.contrast([pixels])).tolist() == [[255, 0]]
