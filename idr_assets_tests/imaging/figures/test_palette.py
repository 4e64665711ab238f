"""Which object gets which colour, against naive loops and scikit-image."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage
from skimage.segmentation import expand_labels

from idr_assets.imaging.figures.palette import PALETTE, label_colours

type Labels = npt.NDArray[np.int32]

LABELS = hnp.arrays(np.int32, hnp.array_shapes(min_dims=2, max_dims=2, max_side=12), elements=st.integers(0, 9))


def touching_pairs(labels: Labels) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """Yield the positions of all pairs of pixels that touch, also diagonally, in different objects."""
    for y, x in np.argwhere(labels > 0):
        for i, j in ((y, x + 1), (y + 1, x), (y + 1, x + 1), (y + 1, x - 1)):
            inside = 0 <= i < labels.shape[0] and 0 <= j < labels.shape[1]
            if inside and labels[i, j] not in {0, labels[y, x]}:
                yield (y, x), (i, j)


@given(LABELS)
def test_objects_that_touch_differ_in_colour(labels: Labels) -> None:
    coloured = label_colours(labels)
    assert all(coloured[one] != coloured[other] for one, other in touching_pairs(labels))


@given(LABELS)
def test_an_object_has_one_colour_and_the_background_none(labels: Labels) -> None:
    coloured = label_colours(labels)
    assert np.array_equal(coloured == 0, labels == 0)
    assert all(np.unique(coloured[labels == label]).size == 1 for label in np.unique(labels))


def test_objects_that_only_touch_when_expanded_differ_in_colour() -> None:
    centres = np.zeros((120, 120), np.int32)
    centres[10::20, 10::20] = np.arange(1, 37).reshape(6, 6)
    coloured = label_colours(centres)
    expanded = expand_labels(centres, 10)
    pairs = [(expanded[one], expanded[other]) for one, other in touching_pairs(expanded)]
    assert len(set(pairs)) > 60
    colour_of = dict(zip(centres.ravel().tolist(), coloured.ravel().tolist(), strict=True))
    assert all(colour_of[int(one)] != colour_of[int(other)] for one, other in pairs)


def test_small_objects_that_are_close_differ_in_colour_wherever_they_lie() -> None:
    dots = np.zeros((60, 70), np.int32)
    dots[1:41:2, 1:17:2] = np.arange(1, 161).reshape(20, 8)
    coloured = label_colours(dots)[1:41:2, 1:17:2]
    assert np.all(coloured[1:] != coloured[:-1])
    assert np.all(coloured[:, 1:] != coloured[:, :-1])


@pytest.mark.parametrize("grain", [0.5, 1, 2, 4])
def test_connected_objects_need_no_more_than_the_eight_distinct_colours(grain: float) -> None:
    for seed in range(10):
        noise = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=(64, 64)), grain)
        labels, _ = ndimage.label(noise > np.quantile(noise, 0.5 + 0.04 * seed))
        assert 0 < label_colours(labels).max() <= 8


def test_a_tessellation_with_corners_of_four_needs_no_more_than_eight_colours() -> None:
    squares = np.kron(np.arange(1, 401).reshape(20, 20), np.ones((4, 4), int)).astype(np.int32)
    coloured = label_colours(squares)
    assert coloured.max() <= 8
    assert all(coloured[one] != coloured[other] for one, other in touching_pairs(squares))


def test_scattered_labels_that_all_touch_get_further_colours() -> None:
    scattered = np.random.default_rng(0).integers(1, 41, (100, 100)).astype(np.int32)
    coloured = label_colours(scattered)
    assert np.unique(coloured).size == 40


def test_the_palette_has_no_colour_twice() -> None:
    assert PALETTE.shape == (256, 3)
    assert np.unique(PALETTE, axis=0).shape == (256, 3)
