"""Cover cells of a grid by few rectangles."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from itertools import groupby

type Cell = tuple[int, int]


def join_cells(cells: Collection[Cell]) -> list[tuple[range, range]]:
    """Return rows and columns of few rectangles that contain each cell once and no other cell, sorted.

    Cells are joined along rows and along columns; the result with fewer rectangles wins.
    """
    along_columns = _join_rows((column, row) for row, column in cells)
    ways = [_join_rows(cells), [(rows, columns) for columns, rows in along_columns]]
    fewer = min(ways, key=len)
    return sorted(fewer, key=lambda ranges: (ranges[0].start, ranges[1].start))


def _join_rows(cells: Iterable[Cell]) -> list[tuple[range, range]]:
    """Join the cells of each row into runs, and equal runs of consecutive rows into rectangles."""
    columns: dict[int, list[int]] = defaultdict(list)
    rows: dict[range, list[int]] = defaultdict(list)
    for row, column in sorted(set(cells)):
        columns[row].append(column)
    for row, found in columns.items():
        for run in _runs(found):
            rows[run].append(row)
    return [(joined, run) for run, found in rows.items() for joined in _runs(found)]


def _runs(indices: list[int]) -> Iterator[range]:
    """Yield the runs of consecutive numbers in sorted indices."""
    for _, run in groupby(enumerate(indices), lambda place: place[1] - place[0]):
        found = [index for _, index in run]
        yield range(found[0], found[-1] + 1)
