"""The fewest rectangles that hold each of some cells of a grid once, and no other cell.

At a concave corner, where three of four cells are wanted, a cut starts, along its row or its column. One with such
corners at both ends serves two, and is good. So most good cuts that do not meet are made first, then one from each
corner left. Good cuts that meet are a bipartite graph, rows against columns, in which a maximum flow tells the largest
choice. Ferrari, Sankar and Sklansky (1984) prove that none is fewer; Eppstein surveys it in "Graph-theoretic solutions
to computational geometry problems" (2009).
"""

from collections.abc import Collection
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import scipy  # loads each submodule at its first use

type Mask = npt.NDArray[np.bool_]
type Integers = npt.NDArray[np.integer[Any]]

CONCAVE = 3
"""Cells that are wanted of the four at a concave corner."""


class Lines(NamedTuple):
    """Straight lines, each along a row of the grid's corners, from its first corner to its last."""

    row: Integers
    first: Integers
    last: Integers

    def among(self, wanted: Mask) -> "Lines":
        """Take the wanted ones."""
        return Lines(*(each[wanted] for each in self))

    def ends(self, corners: Mask) -> Mask:
        """Tell of the first and the last corner of each whether it is one of `corners`."""
        return np.stack([corners[self.row, self.first], corners[self.row, self.last]])

    def corners(self, shape: tuple[int, ...]) -> Integers:
        """Give each corner the number of its line, from 1, or 0; no two lines may have one in common."""
        return self._painted(shape, self.last + 1)

    def edges(self, shape: tuple[int, ...]) -> Mask:
        """Tell which edges between corners lie on a line."""
        return self._painted(shape, self.last) > 0

    def _painted(self, shape: tuple[int, ...], stop: Integers) -> Integers:
        numbers, steps = np.arange(1, len(self.row) + 1), np.zeros((shape[0], shape[1] + 1), int)
        steps[self.row, self.first] += numbers
        steps[self.row, stop] -= numbers
        return steps.cumsum(axis=1)[:, :-1]


def fewest_rectangles(cells: Collection[tuple[int, int]]) -> list[tuple[range, range]]:
    """Give the rows and columns of as few rectangles as can be, by their first cells: each cell lies in one."""
    if not cells:
        return []
    places = np.array(sorted(cells))
    origin = places.min(axis=0)
    mask = np.zeros(np.ptp(places, axis=0) + 1, bool)
    mask[*(places - origin).T] = True
    found = (np.stack(_rectangles(mask), axis=1) + np.tile(origin, 2)).tolist()
    return [(range(top, bottom), range(left, right)) for top, left, bottom, right in found]


def _rectangles(mask: Mask) -> tuple[Integers, ...]:
    """Give top, left, bottom and right of each rectangle, the last two exclusive."""
    cells = np.pad(mask, 1)
    concave = np.lib.stride_tricks.sliding_window_view(cells, (2, 2)).sum(axis=(2, 3)) == CONCAVE
    inner_rows, inner_columns = cells[:-1, 1:-1] & cells[1:, 1:-1], (cells[1:-1, :-1] & cells[1:-1, 1:]).T
    columns = _column_cuts(concave, _lines(inner_rows), _lines(inner_columns))
    met = columns.corners(concave.T.shape).T > 0
    rows = _lines(inner_rows, met)
    rows = rows.among(rows.ends(concave & ~met).any(axis=0))
    row_walls = ~inner_rows | rows.edges(inner_rows.shape)
    column_walls = (~inner_columns | columns.edges(inner_columns.shape)).T
    top, left = np.nonzero(mask & row_walls[:-1] & column_walls[:, :-1])
    return top, left, _next(row_walls.T, left, top), _next(column_walls, top, left)


def _lines(inner: Mask, split: Mask | np.bool = np.False_) -> Lines:
    """Join edges that follow each other in a row, except at corners where they are split."""
    before, after = np.pad(inner, ((0, 0), (1, 0))), np.pad(inner, ((0, 0), (0, 1)))
    through = before & after & ~split
    row, first = np.nonzero(after & ~through)
    return Lines(row, first, np.nonzero(before & ~through)[1])


def _column_cuts(concave: Mask, rows: Lines, columns: Lines) -> Lines:
    """Take the columns of a largest choice of good cuts that do not meet."""
    rows, columns = rows.among(rows.ends(concave).all(axis=0)), columns.among(columns.ends(concave.T).all(axis=0))
    by_row, by_column = rows.corners(concave.shape), columns.corners(concave.T.shape).T
    meet = (by_row > 0) & (by_column > 0)
    return columns.among(~_covering(by_row[meet] - 1, by_column[meet] - 1, len(rows.row), len(columns.row)))


def _covering(row_of: Integers, column_of: Integers, rows: int, columns: int) -> Mask:
    """Tell which columns belong to a smallest choice of rows and columns that has one of each pair: to a least cut."""
    source, sink = rows + columns, rows + columns + 1
    starts = np.concatenate([np.full(rows, source), row_of, rows + np.arange(columns)])
    stops = np.concatenate([np.arange(rows), rows + column_of, np.full(columns, sink)])
    ones = np.ones(len(starts), np.int32)
    graph = scipy.sparse.csr_array((ones, (starts, stops)), shape=(sink + 1, sink + 1))
    left = graph - scipy.sparse.csgraph.maximum_flow(graph, source, sink).flow
    reached = scipy.sparse.csgraph.breadth_first_order(left, source, return_predecessors=False)
    return np.isin(rows + np.arange(columns), reached)


def _next(walls: Mask, row: Integers, after: Integers) -> Integers:
    """Give the next wall in a row."""
    found, start = np.flatnonzero(walls), row * walls.shape[1]
    result: Integers = found[np.searchsorted(found, start + after, side="right")] - start
    return result
