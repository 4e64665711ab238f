"""Objects of slices are joined as comparing each with each by hand joins them."""

from itertools import product

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from idr_assets.imaging.segmentation.joining import join_slices
from idr_assets.imaging.segmentation.label_numbers import number

type Labels = npt.NDArray[np.int32]

STACKS = arrays(
    np.int32, st.tuples(st.integers(1, 4), st.integers(1, 5), st.integers(1, 5)), elements=st.integers(0, 4)
)


def share(one: npt.NDArray[np.bool_], other: npt.NDArray[np.bool_]) -> float:
    return float((one & other).sum() / (one | other).sum())


def pair(above: Labels, below: Labels, iou: float) -> dict[int, int]:
    """Pair the labels of two slices, the lower one first, by comparing each with each."""
    one, other = (range(1, slice_.max() + 1) for slice_ in (above, below))
    shares = {(a, b): share(above == a, below == b) for a, b in product(one, other)}
    best_below = {a: max(other, key=lambda b: (shares[a, b], -b)) for a in one} if other else {}
    best_above = {b: max(one, key=lambda a: (shares[a, b], -a)) for b in other} if one else {}
    return {b: a for b, a in best_above.items() if best_below[a] == b and shares[a, b] >= iou}


def follow(labels: Labels, iou: float) -> list[dict[int, int]]:
    """Give the number of each object of each slice."""
    numbers: list[dict[int, int]] = []
    last = 0
    for z, found in enumerate(labels):
        pairs = pair(labels[z - 1], found, iou) if z else {}
        own = {}
        for label in range(1, found.max() + 1):
            last += label not in pairs
            own[label] = numbers[-1][pairs[label]] if label in pairs else last
        numbers.append(own)
    return numbers


@given(STACKS, st.sampled_from([0.1, 0.25, 1 / 3, 0.5, 1.0]))
def test_objects_are_joined_as_comparing_each_with_each_joins_them(stack: Labels, iou: float) -> None:
    labels = np.stack([number(slice_) for slice_ in stack])
    joined = join_slices(labels, iou)
    for slice_, found, numbers in zip(labels, joined, follow(labels, iou), strict=True):
        np.testing.assert_array_equal(found, np.vectorize({0: 0, **numbers}.get)(slice_))
    assert set(np.unique(joined)) - {0} == set(range(1, joined.max() + 1))


@pytest.mark.parametrize(("iou", "number_below"), [(0.6, 1), (0.61, 2)])
def test_the_least_overlap_counts_as_enough(iou: float, number_below: int) -> None:
    labels = np.array([[[1, 1, 1, 1, 0]], [[0, 1, 1, 1, 1]]], np.int32)
    assert join_slices(labels, iou)[1].max() == number_below
