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
            lines = [
                {(name or "").strip(): (value or "").strip() for name, value in line.items() if name}
                for line in csv.DictReader(file)
            ]
        return _by_well(lines)
    except (OSError, ValueError, KeyError, csv.Error) as error:
        message = (
            f"The layout {path} cannot be used ({type(error).__name__}: {error}). Write a CSV with a line for each "
            "well, a column `well` with names such as B03, and a column for each thing that is in the wells."
        )
        raise ImageError(message) from error


def _by_well(lines: list[dict[str, str]]) -> Layout:
    layout: dict[Well, dict[str, str]] = {}
    for line in lines:
        well = parse_well(line.pop("well"))
        if well in layout:
            message = f"{well.name} has two lines"
            raise ValueError(message)
        layout[well] = line
    return layout
