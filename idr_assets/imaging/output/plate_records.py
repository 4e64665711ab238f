"""Records of planes of a plate, as those of an image in `plane_records`: by field, and of many fields in one document.

A run writes them, not its workers, whose blocks hold planes of several fields.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.output.nodes import create_group, write_group
from idr_assets.imaging.output.plane_records import PlaneRecord, read_documents
from idr_assets.imaging.output.plate_output import PlateOutput
from idr_assets.imaging.output.provenance import Provenance
from idr_assets.imaging.planes import Plane

RECORDS = "records"
"""The group below the output of a plate that contains a group for each label group."""


def write_plate_record(
    output: PlateOutput,
    provenances: Mapping[int, Provenance],
    recipe_version: str,
    found: Mapping[Plane, Mapping[str, Any]],
) -> None:
    """Store records of planes that are stored; `provenances` are those of the fields, by number."""
    period = len(output.times)
    rows = [[output.fields[it.t // period].name, output.times[it.t % period], it.c, it.z] for it in found]
    fields = {output.fields[at].name: provenances[at].to_json() for at in sorted({it.t // period for it in found})}
    about = {"recipe_version": recipe_version, "indices": rows, "planes": list(found.values()), "fields": fields}
    name = hashlib.sha256(json.dumps(rows).encode()).hexdigest()[:16]  # the next record of these planes replaces it
    with suppress(ImageError):  # planes without a record count all the same
        for path in (RECORDS, f"{RECORDS}/{output.name}"):
            create_group(output.url, path, {}, output.format)
        write_group(output.url, f"{RECORDS}/{output.name}/{name}", {"idr_assets": about}, output.format)


def read_plate_records(output: PlateOutput) -> Iterator[tuple[Plane, PlaneRecord]]:
    """Yield the records of planes of the fields that the output was opened with."""
    numbers = {field.name: at * len(output.times) for at, field in enumerate(output.fields)}
    for about in read_documents(output, f"{RECORDS}/{output.name}"):
        with suppress(ValueError, KeyError, TypeError, AttributeError):  # damaged, so that it proves nothing
            fields = {name: Provenance.from_json(it) for name, it in about["fields"].items()}
            for (name, t, c, z), found in zip(about["indices"], about["planes"], strict=True):
                if name in numbers and t in output.times:
                    plane = Plane(numbers[name] + output.times.index(t), c, z)
                    yield plane, PlaneRecord(fields[name], about["recipe_version"], found)
