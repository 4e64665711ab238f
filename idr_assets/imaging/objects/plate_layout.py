"""The layout of a plate: a CSV that says what is in each well."""

import csv
from collections.abc import Mapping
from pathlib import Path

from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.wells import Well, parse_well

type Layout = Mapping[Well, Mapping[str, str]]
"""By well, the values of the other columns."""


def read_layout(path: Path) -> Layout:
    """Read a layout: a line for each well, whose name is in the column `well`.

    Raises
    ------
    ImageError
        If the file cannot be read, has no such column, or names a well twice or wrongly.

    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            return _by_well(csv.DictReader(file))
    except (OSError, ValueError, csv.Error) as error:
        message = (
            f"The layout {path} cannot be used ({error}). Write a CSV with a line for each "
            "well, a column `well` with names such as B03, and a column for each thing that is in the wells."
        )
        raise ImageError(message) from error


def _by_well(table: csv.DictReader[str]) -> Layout:
    layout: dict[Well, dict[str, str]] = {}
    names = [name.strip() for name in table.fieldnames or ()]
    if "well" not in names:
        message = f"line 1: its columns are {', '.join(names)}"
        raise ValueError(message)
    for cells in table:
        line = {name.strip(): (value or "").strip() for name, value in cells.items() if name}
        try:
            _add(layout, parse_well(line.pop("well")), line)
        except ValueError as error:
            message = f"line {table.line_num}: {error}"
            raise ValueError(message) from error
    return layout


def _add(layout: dict[Well, dict[str, str]], well: Well, line: dict[str, str]) -> None:
    if well in layout:
        message = f"{well.name} has a line already"
        raise ValueError(message)
    layout[well] = line
