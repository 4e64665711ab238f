"""The file beside the YAML of a plate that lists its wells and fields, because a load reads nothing of the store."""

import csv
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path

from idr_assets.imaging.wells import Field, join_numbers, parse_numbers, parse_well

FIELDS_FILE = "fields.csv"


def write_fields(folder: Path, fields: Iterable[Field]) -> None:
    """List the fields of a plate, a line for each well: its name, and numbers such as `0-8`."""
    by_well = groupby(sorted(fields), lambda it: it.well)
    lines = [(well.name, " ".join(join_numbers([it.number for it in each]))) for well, each in by_well]
    new = folder / f"{FIELDS_FILE}.new"
    new.write_text("".join(f"{','.join(line)}\n" for line in [("well", "fields"), *lines]))
    new.replace(folder / FIELDS_FILE)


def read_fields(folder: Path) -> list[Field]:
    """Read the fields of the plate whose YAML is in a folder; `ValueError` if the file is missing or wrong."""
    path = folder / FIELDS_FILE
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            return [
                Field(parse_well(line["well"]), number)
                for line in csv.DictReader(file)
                for number in parse_numbers(line["fields"].split())
            ]
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        message = (
            f"{path}, which lists all wells and fields of the plate, cannot be read ({type(error).__name__}: {error}), "
            f"so that `all` means nothing. Write it by `idr-assets refresh {folder.name}`."
        )
        raise ValueError(message) from error
