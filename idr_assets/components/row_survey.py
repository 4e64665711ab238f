"""What the metadata of an image of a list say, and the row that it gets by them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import dagster as dg

from idr_assets.components.image_name import check_name
from idr_assets.components.image_rows import Row, join_fields
from idr_assets.components.image_survey import describe_choice, survey_image, validate_fields
from idr_assets.components.new_address import NewAddress
from idr_assets.components.new_image import NewImage
from idr_assets.components.templates import fill_in


@dataclass(frozen=True)
class Survey:
    """What the metadata of an image say, where it is, and what was chosen, for a person."""

    values: Mapping[str, Any]
    address: NewAddress
    line: str


def survey_row(row: Row, common: Mapping[str, Any], wishes: Mapping[str, Any], project: Path) -> Survey:
    """Read the metadata of the image of a row; raises `ImageError` or `ValueError` if it cannot be added."""
    row.check()
    yaml_of = dg.ResolutionContext.default()
    given = join_fields(fill_in({**common}, yaml_of), fill_in({**wishes, **row.fields}, yaml_of))
    image = NewImage(
        url=given.get("url") or str(given.get("endpoint")).replace("{image_id}", str(given.get("image_id"))),
        level=given.get("level"),
        channel=given.get("channels", []),
        **{name: given[name] for name in ("window", "storage_options", "axes") if given.get(name)},
    )
    choice, address, _ = survey_image(image, check_name(row.name), project)
    fields = validate_fields({**given, **choice.values})
    segmentation = {"segmentation": wishes["segmentation"]} if "segmentation" in wishes else {}
    skipped = common.keys() - wishes.keys() - {"shape", "dtype", "channel_names"}  # the YAML says what was chosen
    values = {name: it for name, it in {**choice.values, **segmentation}.items() if it and name not in skipped}
    return Survey(values, address, f"{row.name}: {describe_choice(choice, fields)}")


def fill_row(row: Row, found: Survey, common: Mapping[str, Any], *, appended: bool) -> Row:
    """Write what was found into the empty cells of a row, unless the YAML says the same."""
    filled = row.fill({name: it for name, it in found.values.items() if common.get(name) != it})
    if "{{" in row.cells.get("url", "{{") or (found.address.export and not appended):
        return filled
    return replace(filled, cells={**filled.cells, "url": found.address.written})
