"""Create the output of a plate: its groups, and in each field an output as of an image."""

import json
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from idr_assets.imaging.ome_zarr.formats import FORMATS, Format, Version
from idr_assets.imaging.output.disk_files import clear_documents
from idr_assets.imaging.output.field_creation import AT_ONCE, FieldCreation
from idr_assets.imaging.output.files import update_file
from idr_assets.imaging.output.nodes import create_group
from idr_assets.imaging.output.provenance import Provenance
from idr_assets.imaging.output.refusals import check_level, check_owner
from idr_assets.imaging.reading.level import Level
from idr_assets.imaging.wells import Field, Well, parse_field


def create_plate(
    url: str, plate: Level, fields: Mapping[Field, tuple[Level, Provenance]], name: str, *, version: Version
) -> None:
    """Create the output of a plate with the given fields and their label group, unless they exist.

    Each field is made by `create_output`; then the plate and its wells list it. Processes that do this at once agree.

    Parameters
    ----------
    url : str
        Address of the output.
    plate : Level
        All fields of the source as one level.
    fields : mapping of Field to (Level, Provenance)
        The level of each field, whose geometry its output gets, and the record that is stored with its labels.
    name, version
        As of `create_output`.

    Raises
    ------
    ImageError
        As `create_output`.

    """
    written_as, level = FORMATS[version], next(iter(fields.values()))[0]
    check_owner(url, plate, version)
    clear_documents(url, ("", "*/", "*/*/", "records/*/*/"))
    title = plate.url.rstrip("/").rpartition("/")[2]
    about = {"idr_assets": {"level": level.path, "labels": {}}}
    create_group(url, "", written_as.placed(_describe_plate([], title, written_as)) | about, written_as)
    check_level(url, level)
    wells = {field.well for field in fields}
    for row in sorted({well.row_name for well in wells}):
        create_group(url, row, {}, written_as)
    FieldCreation(url, name, version).create(fields)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(lambda well: _list_in_well(url, well, fields, written_as), wells))
    update_file(f"{url}/{written_as.attributes}", partial(_list_in_plate, fields, name, title, written_as))


def _list_in_well(url: str, well: Well, fields: Iterable[Field], written_as: Format) -> None:
    numbers = [field.number for field in fields if field.well == well]
    create_group(url, well.path, written_as.placed(_describe_well(numbers, written_as)), written_as)

    def add(document: bytes) -> bytes:
        return _change(document, written_as, lambda ome, _: _describe_well({*_numbers(ome), *numbers}, written_as))

    update_file(f"{url}/{well.path}/{written_as.attributes}", add)


def _list_in_plate(fields: Iterable[Field], name: str, title: str, written_as: Format, document: bytes) -> bytes:
    def add(_: Mapping[str, Any], own: dict[str, Any]) -> dict[str, Any]:
        labels = own["labels"]
        labels[name] = sorted({*labels.get(name, ()), *(field.name for field in fields)}, key=parse_field)
        every = {parse_field(it) for names in labels.values() for it in names}
        return _describe_plate(every, title, written_as)

    return _change(document, written_as, add)


def _change(document: bytes, written_as: Format, describe: Any) -> bytes:  # noqa: ANN401  a function of two mappings
    """Change the OME metadata in the document of a group's attributes; keep all as it is if they stay the same."""
    content = json.loads(document)
    attributes = content if written_as.attributes != written_as.group else content["attributes"]
    before = json.dumps(attributes)
    own = attributes.get("idr_assets", {})
    attributes |= written_as.placed(describe(attributes.get("ome", attributes), own))
    return document if json.dumps(attributes) == before else json.dumps(content, indent=2).encode()


def _numbers(ome: Mapping[str, Any]) -> set[int]:
    return {int(image["path"]) for image in ome["well"]["images"]}


def _describe_well(numbers: Iterable[int], written_as: Format) -> dict[str, Any]:
    images = [{"path": str(number)} for number in sorted(numbers)]
    return {"well": {"images": images, "version": written_as.version}}


def _describe_plate(fields: Iterable[Field], title: str, written_as: Format) -> dict[str, Any]:
    """Describe a plate of these fields, with the rows and columns that any of them has."""
    numbers: dict[Well, set[int]] = {}
    for field in sorted(fields):
        numbers.setdefault(field.well, set()).add(field.number)
    rows, columns = (sorted({getattr(well, axis) for well in numbers}) for axis in ("row", "column"))
    wells = [
        {"path": well.path, "rowIndex": rows.index(well.row), "columnIndex": columns.index(well.column)}
        for well in numbers
    ]
    described = {
        "name": title,
        "rows": [{"name": Well(row, 0).row_name} for row in rows],
        "columns": [{"name": f"{column + 1}"} for column in columns],
        "wells": wells,
    }
    count = {"field_count": max(map(len, numbers.values()))} if numbers else {}
    return {"plate": described | count | {"version": written_as.version}}
