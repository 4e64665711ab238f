"""Colours of labels and greys of pixels, against naive loops and scikit-image."""

import re
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage
from skimage.segmentation import expand_labels, find_boundaries

from idr_assets.imaging.figures import colours

type Labels = npt.NDArray[np.int32]

SIDES = hnp.array_shapes(min_dims=2, max_dims=2, max_side=12)
LABELS = hnp.arrays(np.int32, SIDES, elements=st.integers(0, 9))
MASKS = hnp.arrays(np.bool_, hnp.array_shapes(min_dims=2, max_dims=2, max_side=24))
REAL_DTYPES = hnp.boolean_dtypes() | hnp.integer_dtypes() | hnp.unsigned_integer_dtypes() | hnp.floating_dtypes()
PIXELS = REAL_DTYPES.flatmap(lambda dtype: hnp.arrays(dtype, SIDES))


def touching_pairs(labels: Labels) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """Yield the positions of all pairs of pixels that touch, also diagonally, in different objects."""
    for y, x in np.argwhere(labels > 0):
        for i, j in ((y, x + 1), (y + 1, x), (y + 1, x + 1), (y + 1, x - 1)):
            inside = 0 <= i < labels.shape[0] and 0 <= j < labels.shape[1]
            if inside and labels[i, j] not in {0, labels[y, x]}:
                yield (y, x), (i, j)


@given(LABELS)
def test_objects_that_touch_differ_in_colour(labels: Labels) -> None:
    coloured = colours.label_colours(labels)
    assert all(coloured[one] != coloured[other] for one, other in touching_pairs(labels))


@given(LABELS)
def test_an_object_has_one_colour_and_the_background_none(labels: Labels) -> None:
    coloured = colours.label_colours(labels)
    assert np.array_equal(coloured == 0, labels == 0)
    assert all(np.unique(coloured[labels == label]).size == 1 for label in np.unique(labels))


def test_objects_that_only_touch_when_expanded_differ_in_colour() -> None:
    centres = np.zeros((120, 120), np.int32)
    centres[10::20, 10::20] = np.arange(1, 37).reshape(6, 6)
    coloured = colours.label_colours(centres)
    expanded = expand_labels(centres, 10)
    pairs = [(expanded[one], expanded[other]) for one, other in touching_pairs(expanded)]
    assert len(set(pairs)) > 60
    colour_of = dict(zip(centres.ravel().tolist(), coloured.ravel().tolist(), strict=True))
    assert all(colour_of[int(one)] != colour_of[int(other)] for one, other in pairs)


def test_small_objects_that_are_close_differ_in_colour_wherever_they_lie() -> None:
    dots = np.zeros((60, 70), np.int32)
    dots[1:41:2, 1:17:2] = np.arange(1, 161).reshape(20, 8)
    coloured = colours.label_colours(dots)[1:41:2, 1:17:2]
    assert np.all(coloured[1:] != coloured[:-1])
    assert np.all(coloured[:, 1:] != coloured[:, :-1])


@pytest.mark.parametrize("grain", [0.5, 1, 2, 4])
def test_connected_objects_need_no_more_than_the_eight_distinct_colours(grain: float) -> None:
    for seed in range(10):
        noise = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=(64, 64)), grain)
        labels, _ = ndimage.label(noise > np.quantile(noise, 0.5 + 0.04 * seed))
        assert 0 < colours.label_colours(labels).max() <= 8


def test_a_tessellation_with_corners_of_four_needs_no_more_than_eight_colours() -> None:
    squares = np.kron(np.arange(1, 401).reshape(20, 20), np.ones((4, 4), int)).astype(np.int32)
    coloured = colours.label_colours(squares)
    assert coloured.max() <= 8
    assert all(coloured[one] != coloured[other] for one, other in touching_pairs(squares))


def test_scattered_labels_that_all_touch_get_further_colours() -> None:
    scattered = np.random.default_rng(0).integers(1, 41, (100, 100)).astype(np.int32)
    coloured = colours.label_colours(scattered)
    assert np.unique(coloured).size == 40


def test_the_palette_has_no_colour_twice() -> None:
    assert colours.PALETTE.shape == (256, 3)
    assert np.unique(colours.PALETTE, axis=0).shape == (256, 3)


@given(LABELS)
def test_outlines_are_the_inner_boundaries(labels: Labels) -> None:
    found = colours.outlines(colours.label_colours(labels))
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


def test_count_objects_skips_numbers_that_are_left_out() -> None:
    assert colours.count_objects(np.array([[0, 3, 3], [7, 0, 1]], np.int32)) == 3


def test_fit_enlarges_by_a_whole_factor() -> None:
    shades = np.arange(6, dtype=np.uint8).reshape(2, 3)
    labels = np.array([[0, 1, 1], [2, 0, 0]], np.int32)
    larger, coloured = colours.fit(shades, labels, side=14)
    squares = np.ones((4, 4), np.uint8)
    assert np.array_equal(larger, np.kron(shades, squares))
    assert np.array_equal(coloured, np.kron(colours.label_colours(labels), squares))


def test_fit_averages_pixels_that_it_reduces() -> None:
    shades = np.array([[0, 100, 10, 10], [100, 200, 10, 10]], np.uint8)
    smaller, coloured = colours.fit(shades, np.ones((2, 4), np.int32), side=2)
    assert smaller.tolist() == [[100, 10]]
    assert coloured.tolist() == [[1, 1]]


def test_an_overlay_tints_objects_inside_and_nothing_else() -> None:
    labels = np.zeros((9, 9), np.uint8)
    labels[1:8, 1:8] = 1
    picture = colours.overlay(np.full((9, 9), 100, np.uint8), labels)
    assert len(set(picture[4, 4, :3].tolist())) > 1
    assert picture[0, 0].tolist() == [100, 100, 100, 255]
    assert picture[1, 1].tolist() == [*colours.PALETTE[1], 255]  # its outline


def test_a_range_below_the_smallest_normal_number_has_greys() -> None:
    pixels = np.array([[2.22507386e-313, 0.0]])
    assert colours.grey(pixels, *colours.contrast([pixels])).tolist() == [[255, 0]]
