"""Fill the rows of a list of images by what the metadata of each image say."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml
from pydantic import ValidationError

from idr_assets.components.image_rows import OF_IMAGES, Row
from idr_assets.components.image_table import ImageTable, read_table
from idr_assets.components.list_fields import ListFields
from idr_assets.components.new_address import name_by_address, place_address
from idr_assets.components.row_survey import Survey, fill_row, survey_row
from idr_assets.components.yaml_model import explain_errors
from idr_assets.components.yaml_text import describe_fields
from idr_assets.imaging.errors import ImageError, mask

SHARED = ("storage_options", "level", "axes", "shape", "dtype", "channel_names", "channels", "window", "segmentation")
"""Fields that each image may have a value of its own for; they stand in the YAML if all have the same."""

LEFT_OUT = {"url", *SHARED} - {"segmentation"}
"""Fields of which the YAML has no example."""

NOWHERE: Mapping[str, Path] = MappingProxyType({})

AT_ONCE = 8
"""Images whose metadata are read at once."""


@dataclass
class NewList:
    """A list of images that grows; nothing of it is written yet.

    Attributes
    ----------
    table : ImageTable
        The rows, filled as far as their images can be read.
    yaml : Path
        The YAML of the list.
    common : dict
        Its fields, or those that it will have.
    lines, faults, notes : list of str
        What was chosen for each image, which cannot be added and why, and what a person must do.
    known : list of str
        Which addresses are in the list already.

    """

    table: ImageTable
    yaml: Path
    common: dict[str, Any]
    lines: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    known: list[str] = field(default_factory=list)

    def write(self) -> None:
        """Write the table, and the YAML if there is none."""
        self.table.write()
        if not self.yaml.exists():
            values = {**self.common, "images": self.table.path.name}
            self.yaml.write_text(describe_fields(ListFields, values, component="SegmentedImages", left_out=LEFT_OUT))


def fill_list(
    file: Path,
    addresses: Sequence[str],
    wishes: Mapping[str, Any],
    project: Path,
    elsewhere: Mapping[str, Path] = NOWHERE,
) -> NewList:
    """Fill the rows of a CSV or TSV file that lack a level or a shape, and append a row for each new address.

    A field of `wishes` counts more than that of the YAML, and a cell of a row more than both. `elsewhere` are
    the names, in lower case, of images that stand in other files: rows with such a name are faults, and a new address
    gets another one. Raises `ValueError` if the file, or the YAML beside it, is not of a list.
    """
    new = _open(file)
    old = len(new.table.rows)
    rows = [*new.table.rows, *_name_rows(addresses, new, project, elsewhere)]

    def survey(row: Row) -> Survey | str | None:
        if other := elsewhere.get(row.name.lower()):
            return f"there is an image or a list {row.name!r} already, in {other}; choose another name"
        if row in rows[:old] and {"level", "shape"} <= row.cells.keys() | new.common.keys():
            return None
        try:
            return survey_row(row, new.common, wishes, project)
        except ValidationError as error:
            return explain_errors(error)
        except (ImageError, ValueError) as error:
            return str(error)

    with ThreadPoolExecutor(AT_ONCE) as threads:
        found = list(zip(rows, threads.map(survey, rows), strict=True))
    good = [it for _, it in found if isinstance(it, Survey)]
    if not new.yaml.exists():
        new.common = {name: good[0].values[name] for name in SHARED if good and _is_shared(name, good)}
    new.table.rows = [
        fill_row(row, it, new.common, appended=at >= old) if isinstance(it, Survey) else row
        for at, (row, it) in enumerate(found)
        if at < old or isinstance(it, Survey)
    ]
    used = set[str]().union(*(row.cells for row in new.table.rows))
    new.table.head = [*dict.fromkeys([*new.table.head, *(name for name in OF_IMAGES if name in used)])]
    new.faults = [f"{row.place}: {it}" for row, it in found if isinstance(it, str)]
    new.lines = [it.line for it in good]
    new.notes = [it.address.export for it in good if it.address.export]
    return new


def _open(file: Path) -> NewList:
    table = ImageTable(file, "\t" if file.suffix == ".tsv" else ",", ["name"], [])
    if file.exists():
        table = read_table(file)
    if spoilt := next((row for row in table.rows if row.excess), None):
        message = f"{spoilt.place} has more cells than columns, so nothing was written. Quote such cells."
        raise ValueError(message)
    path, common = file.with_name("defs.yaml"), dict[str, Any]()
    if path.exists():
        found = yaml.safe_load(path.read_text()) or {}
        common = found.get("attributes") or {}
        if found.get("type") != "idr_assets.SegmentedImages" or common.get("images") != file.name:
            message = f"{path} is no list with `images: {file.name}`, so nothing was written. Name a file elsewhere."
            raise ValueError(message)
    return NewList(table, path, common)


def _name_rows(addresses: Sequence[str], new: NewList, project: Path, elsewhere: Mapping[str, Path]) -> Iterator[Row]:
    """Make a row for each address that is not in the table, with a name of its own."""
    names = {str(row.cells.get("url")): row.name for row in new.table.rows}
    taken = {*elsewhere, *(row.name.lower() for row in new.table.rows)}
    for at, address in enumerate(addresses):
        same = names.get(address) or names.get(place_address(address, "", project).written)
        if same:
            new.known.append(f"address {at + 1}: {mask(address)} is in the list already, as {same}")
            continue
        name = name_by_address(address, taken)
        names[address] = name
        taken.add(name.lower())
        yield Row(f"address {at + 1}", {"name": name, "url": address})


def _is_shared(name: str, found: Sequence[Survey]) -> bool:
    """Return whether a field has one value in all images."""
    values = [it.values.get(name) for it in found]
    return values[0] is not None and all(it == values[0] for it in values)
