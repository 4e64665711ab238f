"""Read the rows of a list of images from its YAML, or from a CSV or TSV file beside it."""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import dagster as dg
import yaml

from idr_assets.components.image_fields import ImageFields
from idr_assets.components.list_fields import ListFields
from idr_assets.components.templates import name_place

OF_LISTS = (ListFields.model_fields.keys() - ImageFields.model_fields.keys()) | {"automation"}
"""Fields that a list has, and its images do not."""

OF_IMAGES = ["name", *(name for name in ImageFields.model_fields if name not in OF_LISTS)]

TEXTS = {"name", "url", "endpoint", "level", "dtype", "format"}
"""Fields whose cells are texts; those of the other fields are YAML, such as `[1, 2, 16, 128, 135]`."""


@dataclass(frozen=True)
class Row:
    """An image of a list as it is written, and the file and line where; `excess` are cells without a column."""

    place: str
    cells: Mapping[str, Any]
    excess: int = 0

    @property
    def name(self) -> str:
        """Name of the image, empty if the row has none."""
        return str(self.cells.get("name", ""))

    @property
    def own(self) -> dict[str, str]:
        """The columns that are no fields."""
        return {name: str(value) for name, value in self.cells.items() if name not in OF_IMAGES}

    @property
    def fields(self) -> dict[str, Any]:
        """The fields of the image; raises `ValueError` if a cell is no YAML."""
        fields = {name: value for name, value in self.cells.items() if name in OF_IMAGES and name != "name"}
        return {name: _parse(name, value) for name, value in fields.items()}

    def check(self) -> None:
        """Raise `ValueError` if cells are too many, or a column is no field but is probably meant to be one."""
        if self.excess:
            message = f"it has {self.excess} more cells than columns; put cells that contain the separator in quotes"
            raise ValueError(message)
        for name in self.own:
            if name in OF_LISTS:
                message = f"{name!r} is for the whole list; write it in the YAML"
                raise ValueError(message)
            if close := get_close_matches(name, OF_IMAGES, n=1, cutoff=0.8):
                message = f"{name!r} is not a field; write {close[0]!r}, or rename the column if it is your own"
                raise ValueError(message)


def inline_rows(images: list[dict[str, Any]], context: dg.ResolutionContext) -> list[Row]:
    """Return the rows that the YAML itself lists."""
    return [Row(name_place(context, "images", at), cells) for at, cells in enumerate(images)]


def file_rows(path: Path) -> Iterator[Row]:
    """Read a CSV or TSV file; raise `ValueError` if it cannot be read, or its first line names no columns."""
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        message = f"{path} cannot be read ({error}), so the list has no images. Write a CSV or TSV file in UTF-8."
        raise ValueError(message) from error
    first = text.partition("\n")[0]
    lines = csv.reader(text.splitlines(keepends=True), delimiter=max("\t;,", key=first.count))
    head = [name.strip() for name in next(lines, [])]
    if "name" not in head or "" in head or len(set(head)) < len(head):
        message = f"{path}:1 names the columns {head}. Write `name`, `url` and others, each once."
        raise ValueError(message)
    line = lines.line_num
    for cells in lines:
        place, line = f"{path}:{line + 1}", lines.line_num
        if any(cell.strip() for cell in cells):
            given = {name: cell.strip() for name, cell in zip(head, cells, strict=False) if cell.strip()}
            yield Row(place, given, excess=max(0, len(cells) - len(head)))


def _parse(name: str, value: Any) -> Any:  # noqa: ANN401  any value that YAML may hold
    if not isinstance(value, str) or name in TEXTS or "{{" in value:
        return value
    try:
        return yaml.safe_load(value)
    except yaml.YAMLError as error:
        message = f"{name} is {value!r}, which is no YAML; write it as in a YAML file"
        raise ValueError(message) from error
