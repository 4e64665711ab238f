"""The fewest rectangles, against what an integer programme over all rectangles finds."""

from itertools import combinations, product
from time import process_time
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy.optimize import Bounds, LinearConstraint, milp

from idr_assets.imaging.rectangles import fewest_rectangles

type Mask = npt.NDArray[np.bool_]

MASKS = arrays(bool, array_shapes(min_dims=2, max_dims=2, max_side=7), elements=st.sampled_from([True, True, False]))


def drawn(*rows: str) -> Mask:
    return np.array([[cell == "#" for cell in row] for row in rows])


def found(mask: Mask) -> list[tuple[range, range]]:
    return fewest_rectangles({(int(row), int(column)) for row, column in np.argwhere(mask)})


def times_covered(rectangles: list[tuple[range, range]], shape: tuple[int, ...]) -> npt.NDArray[Any]:
    covered = np.zeros(shape, int)
    for rows, columns in rectangles:
        covered[rows.start : rows.stop, columns.start : columns.stop] += 1
    return covered


def fewest(mask: Mask) -> int:
    """Count the rectangles that are needed, by trying all that there are."""
    spans = (list(combinations(range(length + 1), 2)) for length in mask.shape)
    places = [(slice(*rows), slice(*columns)) for rows, columns in product(*spans)]
    held = [np.pad(np.ones_like(mask[place]), edges(place, mask.shape))[mask] for place in places if mask[place].all()]
    if not held:
        return 0
    each_once = LinearConstraint(np.array(held, float).T, 1, 1)
    solved: Any = milp(np.ones(len(held)), integrality=1, bounds=Bounds(0, 1), constraints=each_once)
    return round(float(solved.fun))


def edges(place: tuple[slice, slice], shape: tuple[int, ...]) -> list[tuple[int, int]]:
    return [(span.start, length - span.stop) for span, length in zip(place, shape, strict=True)]


@pytest.mark.parametrize(
    ("mask", "needed"),
    [
        (drawn("##", "##"), 1),
        (drawn("#.", ".#"), 2),  # that touch at a corner
        (drawn("##.", "##.", "..#"), 2),
        (drawn(".#.", "#.#", ".#."), 4),
        (drawn("###", "#.#", "###"), 4),  # a hole
        (drawn("#####", "#.#.#", "#####"), 5),  # two holes, between which two good cuts lie side by side
        (drawn(".#.", "###", ".#."), 3),  # four good cuts, each of which meets two others at its ends
        (drawn("##.##", "#####", "##.##"), 3),
        (drawn("..#..", "#####", "#####", "..#..", "#####"), 4),
        (drawn(".#.#.", "#####", ".#.#.", "#####", ".#.#."), 8),  # good cuts that follow each other in a line
    ],
)
def test_as_many_as_are_needed(mask: Mask, needed: int) -> None:
    assert len(found(mask)) == needed == fewest(mask)
    np.testing.assert_array_equal(times_covered(found(mask), mask.shape), mask)


def test_every_choice_of_eight_cells_has_the_fewest() -> None:
    masks = [np.reshape(cells, (2, 4)) for cells in product([False, True], repeat=8)]
    assert [len(found(mask)) for mask in masks] == [fewest(mask) for mask in masks]


@given(MASKS)
def test_none_is_fewer_and_each_cell_lies_in_one(mask: Mask) -> None:
    rectangles = found(mask)
    np.testing.assert_array_equal(times_covered(rectangles, mask.shape), mask)
    assert len(rectangles) == fewest(mask)
    assert rectangles == sorted(rectangles, key=lambda ranges: (ranges[0].start, ranges[1].start))


def test_indices_are_those_of_the_cells() -> None:
    assert fewest_rectangles([(270, 490), (270, 489), (261, 3)]) == [
        (range(261, 262), range(3, 4)),
        (range(270, 271), range(489, 491)),
    ]
    assert fewest_rectangles([]) == []


def test_a_window_of_half_a_million_planes_takes_seconds() -> None:
    mask = np.random.default_rng(0).random((532, 988)) < 0.9  # with most cuts that meet
    start = process_time()
    rectangles = found(mask)
    assert process_time() - start < 30
    np.testing.assert_array_equal(times_covered(rectangles, mask.shape), mask)
