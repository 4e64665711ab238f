"""Few rectangles that hold each of some cells of a grid once, and no other cell."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from itertools import groupby

type Cell = tuple[int, int]


def join_cells(cells: Collection[Cell]) -> list[tuple[range, range]]:
    """Give the rows and columns of few rectangles, by their first cells: each cell lies in one.

    Cells are joined along rows and along columns, and the way that needs fewer rectangles is taken.
    """
    along_columns = _join_rows((column, row) for row, column in cells)
    ways = [_join_rows(cells), [(rows, columns) for columns, rows in along_columns]]
    fewer = min(ways, key=len)
    return sorted(fewer, key=lambda ranges: (ranges[0].start, ranges[1].start))


def _join_rows(cells: Iterable[Cell]) -> list[tuple[range, range]]:
    """Join the cells of each row into runs, and equal runs of rows that follow each other into rectangles."""
    columns: dict[int, list[int]] = defaultdict(list)
    rows: dict[range, list[int]] = defaultdict(list)
    for row, column in sorted(set(cells)):
        columns[row].append(column)
    for row, found in columns.items():
        for run in _runs(found):
            rows[run].append(row)
    return [(joined, run) for run, found in rows.items() for joined in _runs(found)]


def _runs(indices: list[int]) -> Iterator[range]:
    """Give the runs of sorted indices that follow each other."""
    for _, run in groupby(enumerate(indices), lambda place: place[1] - place[0]):
        found = [index for _, index in run]
        yield range(found[0], found[-1] + 1)
