"""Tiles of a plane: rectangles that touch, and the pixels around them."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Self


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle of a plane: rows `y`, columns `x`."""

    y: range
    x: range

    @classmethod
    def of(cls, shape: tuple[int, ...]) -> Self:
        """Return the box of a whole plane (y, x)."""
        return cls(range(shape[0]), range(shape[1]))

    @property
    def slices(self) -> tuple[slice, slice]:
        """Where it lies in its plane."""
        return slice(self.y.start, self.y.stop), slice(self.x.start, self.x.stop)

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width."""
        return len(self.y), len(self.x)

    def within(self, outer: "Box") -> tuple[slice, slice]:
        """Return where it lies in a box that holds it."""
        return _shift(self.y, outer.y.start), _shift(self.x, outer.x.start)

    def widen(self, margin: int, shape: tuple[int, int]) -> "Box":
        """Return the box with a margin on each side, as far as a plane of this shape goes."""
        return Box(*(_widen(axis, margin, length) for axis, length in zip((self.y, self.x), shape, strict=True)))

    def meet(self, other: "Box") -> "Box":
        """Return what two boxes share."""
        return Box(_meet(self.y, other.y), _meet(self.x, other.x))

    def __bool__(self) -> bool:
        """Tell whether it holds a pixel."""
        return bool(self.y and self.x)

    def __str__(self) -> str:
        """Name its rows and columns, as a slice of an array does."""
        return f"[{self.y.start}:{self.y.stop}, {self.x.start}:{self.x.stop}]"


@dataclass(frozen=True)
class Grid:
    """A plane of a shape (y, x) that is cut into tiles of at most `side` (height, width)."""

    shape: tuple[int, int]
    side: tuple[int, int]

    def tiles(self) -> list[Box]:
        """List the tiles in raster order."""
        rows, columns = (list(_pieces(length, step)) for length, step in zip(self.shape, self.side, strict=True))
        return [Box(y, x) for y, x in product(rows, columns)]

    def around(self, number: int) -> Iterator[int]:
        """Yield the numbers of the tiles that touch a tile, also by a corner alone."""
        rows, columns = (-(-length // step) for length, step in zip(self.shape, self.side, strict=True))
        row, column = divmod(number, columns)
        for y, x in product(
            range(max(0, row - 1), min(rows, row + 2)), range(max(0, column - 1), min(columns, column + 2))
        ):
            if (y, x) != (row, column):
                yield y * columns + x


def _pieces(length: int, step: int) -> Iterator[range]:
    for start in range(0, length, step):
        yield range(start, min(start + step, length))


def _widen(axis: range, margin: int, length: int) -> range:
    return range(max(0, axis.start - margin), min(length, axis.stop + margin))


def _meet(one: range, other: range) -> range:
    return range(max(one.start, other.start), min(one.stop, other.stop))


def _shift(axis: range, start: int) -> slice:
    return slice(axis.start - start, axis.stop - start)
