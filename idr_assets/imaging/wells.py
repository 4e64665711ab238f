"""Wells and fields of a plate: names such as `B03`, and fields such as `B03_0`."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby, product
from string import ascii_uppercase

from idr_assets.imaging.planes import runs

WELL = re.compile(r"([A-Za-z]{1,2})0*([1-9][0-9]{0,2})")
"""Name of a well: the letters of its row, and the number of its column from 1."""

NUMBERS = re.compile(r"([0-9]{1,4})(?:-([0-9]{1,4}))?")
"""A number of a field, or a range of a first and a last one, of four digits at most."""

PLANE = re.compile(r"\bt (\d+)(?= c \d+ z \d+)")
"""The timepoint in the name of a plane."""


@dataclass(frozen=True, order=True)
class Well:
    """A well of a plate, by the indices of its row and its column from 0; wells sort row by row."""

    row: int
    column: int

    @property
    def name(self) -> str:
        """The name of the well, such as `B03`."""
        return f"{self.row_name}{self.column + 1:02}"

    @property
    def row_name(self) -> str:
        """The letters of the row: A to Z, then AA."""
        first, second = divmod(self.row, len(ascii_uppercase))
        return (ascii_uppercase[first - 1] if first else "") + ascii_uppercase[second]

    @property
    def path(self) -> str:
        """The path of the well in the output, such as `B/3`."""
        return f"{self.row_name}/{self.column + 1}"


@dataclass(frozen=True, order=True)
class Field:
    """A field of a well: one image of the plate. `number` is the name of its folder in the well."""

    well: Well
    number: int

    @property
    def name(self) -> str:
        """The name of the field, such as `B03_0`."""
        return f"{self.well.name}_{self.number}"

    @property
    def path(self) -> str:
        """The path of the field in the output, such as `B/3/0`."""
        return f"{self.well.path}/{self.number}"


def parse_well(name: str) -> Well:
    """Return the well with a name such as `B03` or `b3`; `ValueError` for any other text."""
    found = WELL.fullmatch(name)
    if not found:
        message = f"{name!r} is no well; write the letters of its row and the number of its column, such as B03"
        raise ValueError(message)
    row = 0
    for letter in found[1].upper():
        row = row * len(ascii_uppercase) + ascii_uppercase.index(letter) + 1
    return Well(row - 1, int(found[2]) - 1)


def parse_field(name: str) -> Field:
    """Return the field with a name such as `B03_0`; `ValueError` for any other text."""
    well, _, number = name.rpartition("_")
    return Field(parse_well(well), int(number))


def parse_wells(names: Iterable[str]) -> list[Well]:
    """Return the wells of names and of ranges such as `B02:D11`, each once, row by row.

    A range is the rectangle between two wells. Raises `ValueError` for a text that names no well.
    """
    wells: set[Well] = set()
    for name in names:
        first, *others = map(parse_well, name.split(":"))
        last = others[-1] if others else first
        if len(others) > 1 or last.row < first.row or last.column < first.column:
            message = f"{name!r} is no range of wells; write the upper left well and the lower right one, as in B02:D11"
            raise ValueError(message)
        rectangle = product(range(first.row, last.row + 1), range(first.column, last.column + 1))
        wells |= {Well(*at) for at in rectangle}
    return sorted(wells)


def join_wells(wells: Iterable[Well]) -> list[str]:
    """Return names and ranges from which `parse_wells` makes these wells: one range if they fill a rectangle."""
    found = sorted(set(wells))
    rows, columns = ([*runs(sorted({getattr(well, axis) for well in found}))] for axis in ("row", "column"))
    if len(rows) == len(columns) == 1 and len(found) == len(rows[0]) * len(columns[0]):
        return [f"{found[0].name}:{found[-1].name}" if len(found) > 1 else found[0].name]
    by_row = groupby(found, lambda well: well.row)
    parts = [(Well(row, run[0]), Well(row, run[-1])) for row, each in by_row for run in runs(it.column for it in each)]
    return [first.name if first == last else f"{first.name}:{last.name}" for first, last in parts]


def join_numbers(numbers: Sequence[int]) -> list[str]:
    """Return the numbers of fields as `parse_numbers` takes them: `0`, and ranges such as `3-8`."""
    return [f"{run[0]}-{run[-1]}" if len(run) > 1 else f"{run[0]}" for run in runs(numbers)]


def parse_numbers(ranges: Iterable[int | str]) -> list[int]:
    """Return the numbers of fields in numbers such as `0` and ranges such as `0-8`; `ValueError` for any other text."""
    numbers: set[int] = set()
    for each in ranges:
        found = NUMBERS.fullmatch(str(each))
        if not found or int(found[2] or found[1]) < int(found[1]):
            message = f"{each!r} is no field; write numbers such as 0, and ranges such as 0-8"
            raise ValueError(message)
        numbers |= set(range(int(found[1]), int(found[2] or found[1]) + 1))
    return sorted(numbers)


def list_fields(wells: Iterable[Well], numbers: Sequence[int]) -> tuple[Field, ...]:
    """Return the fields with these numbers of all wells, well by well."""
    return tuple(Field(well, number) for well in wells for number in sorted(numbers))


def name_fields(text: str, fields: Sequence[Field], times: range) -> str:
    """Name planes in a message by their fields: `B03_0 c 0 z 5` for `t 12 c 0 z 5`."""

    def name(found: re.Match[str]) -> str:
        field, t = divmod(int(found[1]), len(times))
        return fields[field].name + (f" t {times.start + t}" if len(times) > 1 else "")

    return PLANE.sub(name, text)
