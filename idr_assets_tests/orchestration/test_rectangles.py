"""Rectangles of cells: each cell once, no other cell, and few of them."""

from time import process_time
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from idr_assets.orchestration.rectangles import join_cells

type Mask = npt.NDArray[np.bool_]

MASKS = arrays(bool, array_shapes(min_dims=2, max_dims=2, max_side=7), elements=st.sampled_from([True, True, False]))


def drawn(*rows: str) -> Mask:
    return np.array([[cell == "#" for cell in row] for row in rows])


def found(mask: Mask) -> list[tuple[range, range]]:
    return join_cells({(int(row), int(column)) for row, column in np.argwhere(mask)})


def times_covered(rectangles: list[tuple[range, range]], shape: tuple[int, ...]) -> npt.NDArray[Any]:
    covered = np.zeros(shape, int)
    for rows, columns in rectangles:
        covered[rows.start : rows.stop, columns.start : columns.stop] += 1
    return covered


@pytest.mark.parametrize(
    ("mask", "rectangles"),
    [
        (drawn("##", "##"), 1),
        (drawn("#.", ".#"), 2),  # that touch at a corner
        (drawn("##.", "##.", "..#"), 2),
        (drawn(".#.", "#.#", ".#."), 4),
        (drawn("###", "#.#", "###"), 4),  # a hole
        (drawn("####", "####", "##..", "##.."), 2),  # a window that was widened
        (drawn("#.#", "#.#", "#.#"), 2),  # a column that is done
        (drawn("#..", "###", "#.."), 2),  # which are three when joined along rows
        (drawn("###", ".#.", ".#."), 2),  # and three when joined along columns
        (drawn("##", "..", "##"), 2),  # equal runs of rows that do not follow each other
    ],
)
def test_few_are_found(mask: Mask, rectangles: int) -> None:
    assert len(found(mask)) == rectangles
    np.testing.assert_array_equal(times_covered(found(mask), mask.shape), mask)


@given(MASKS)
def test_each_cell_lies_in_one_and_no_other_cell_does(mask: Mask) -> None:
    rectangles = found(mask)
    np.testing.assert_array_equal(times_covered(rectangles, mask.shape), mask)
    assert rectangles == sorted(rectangles, key=lambda ranges: (ranges[0].start, ranges[1].start))


def test_indices_are_those_of_the_cells() -> None:
    assert join_cells([(270, 490), (270, 489), (261, 3), (270, 489)]) == [
        (range(261, 262), range(3, 4)),
        (range(270, 271), range(489, 491)),
    ]
    assert join_cells([]) == []


def test_a_window_of_half_a_million_planes_takes_seconds() -> None:
    mask = np.random.default_rng(0).random((532, 988)) < 0.9
    start = process_time()
    rectangles = found(mask)
    assert process_time() - start < 15
    np.testing.assert_array_equal(times_covered(rectangles, mask.shape), mask)
