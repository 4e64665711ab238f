"""The rows of a list of images, which stand in its YAML, or in a CSV or TSV file beside it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
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


REPLACED = {
    "url": {"image_id", "endpoint"},
    "image_id": {"url"},
    "segmentation": {"segmentations"},
    "segmentations": {"segmentation"},
}
"""Fields of the list that a field of an image replaces, because an image has one or the other."""


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

    def fill(self, values: Mapping[str, Any]) -> "Row":
        """Return the row with more cells; those that it has stay as they are."""
        return replace(self, cells={**{name: _write(name, value) for name, value in values.items()}, **self.cells})

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


def join_fields(common: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Join the fields of a list and those of one of its images."""
    replaced = set[str]().union(OF_LISTS, *(REPLACED.get(field, ()) for field in own))
    return {**{field: value for field, value in common.items() if field not in replaced}, **own}


def inline_rows(images: list[dict[str, Any]], context: dg.ResolutionContext) -> list[Row]:
    """Return the rows that the YAML itself lists."""
    return [Row(name_place(context, "images", at), cells) for at, cells in enumerate(images)]


def _parse(name: str, value: Any) -> Any:  # noqa: ANN401  any value that YAML may hold
    if not isinstance(value, str) or name in TEXTS or "{{" in value:
        return value
    try:
        return yaml.safe_load(value)
    except yaml.YAMLError as error:
        message = f"{name} is {value!r}, which is no YAML; write it as in a YAML file"
        raise ValueError(message) from error


def _write(name: str, value: Any) -> str:  # noqa: ANN401  any value that YAML may hold
    """Write the cell that `_parse` reads."""
    text: str = value if name in TEXTS else yaml.safe_dump(value, default_flow_style=True, width=10**9)
    return text.removesuffix("\n").removesuffix("\n...")
