"""The tables of objects of a plate: a Parquet file for each well, with a row for each object of all of its fields.

As `tables`, with columns that say where an object is on the plate. Planes are noted by the names of their fields, so
that a table stays right if a YAML gets more of them.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

import pyarrow as pa

from idr_assets.imaging.objects.more_measurements import NOTHING_MORE, Measured
from idr_assets.imaging.objects.table_files import SCHEMAS, is_made_from, read_planes_note, write_table
from idr_assets.imaging.objects.tables import hash_origin, measure_planes
from idr_assets.imaging.output.plate_output import PlateOutput
from idr_assets.imaging.output.read_back import read_checksums
from idr_assets.imaging.planes import Block, Plane
from idr_assets.imaging.wells import Field

NOT_NAMED: Final[Mapping[int, str | None]] = MappingProxyType({})


def write_well(  # noqa: PLR0913, PLR0917
    url: str,
    output: PlateOutput,
    planes: Block,
    plate: str,
    pixel_area: float | None,
    channels: Mapping[int, str | None] = NOT_NAMED,
    more: Measured = NOTHING_MORE,
) -> bool:
    """Measure the planes of a well and write their table, unless it exists; return whether it was written.

    `planes` are those of the well's fields in the output. Those that are not stored are left out. `pixel_area` is in
    µm², `channels` are the names of channels that have any, `more` is what is measured beside the usual. Raises
    `ImageError` if the disk is full, or if `more` cannot be measured.
    """
    every = planes.planes()
    names = {plane: _place(output, plane) for plane in every}
    checksums = read_checksums(output, every)
    origin = hash_origin(
        f"{plate} {dict(channels)}" if channels else plate,
        pixel_area,
        dict(zip(map(_text, names.values()), checksums, strict=True)),
        more,
    )
    if is_made_from(url, origin):
        return False
    table, counts = measure_planes(plate, output, every, pixel_area, channels, more)
    noted = [[*_note(names[Plane(t, c, z)]), number] for t, c, z, number in counts]
    write_table(url, _locate(table, output), {"planes": json.dumps(noted), "made_from": origin})
    return True


def read_plate_counts(urls: Iterable[str], fields: Sequence[Field], times: range) -> dict[Plane, int]:
    """Return the number of objects of each measured plane, with indices as in `PlateOutput`; a table may be absent.

    Raises `ImageError` if one is damaged.
    """
    numbers = {field.name: at for at, field in enumerate(fields)}
    found = {}
    for url in urls:
        for name, t, c, z, objects in read_planes_note(url):
            if name in numbers and t in times:
                found[Plane(numbers[name] * len(times) + t - times.start, c, z)] = objects
    return found


type Place = tuple[Field, int, int, int]
"""A field, and t, c and z in it."""


def _place(output: PlateOutput, plane: Plane) -> Place:
    field, t = divmod(plane.t, len(output.times))
    return output.fields[field], output.times.start + t, plane.c, plane.z


def _note(place: Place) -> tuple[str, int, int, int]:
    field, t, c, z = place
    return field.name, t, c, z


def _text(place: Place) -> str:
    return " ".join(map(str, _note(place)))


def _locate(table: pa.Table, output: PlateOutput) -> pa.Table:
    """Add the columns of a plate, and give t in each field."""
    places = [divmod(t, len(output.times)) for t in table["t"].to_pylist()]
    fields = [output.fields[at] for at, _ in places]
    values: Mapping[str, list[str] | list[int]] = {
        "row": [it.well.row_name for it in fields],
        "column": [it.well.column + 1 for it in fields],
        "well": [it.well.name for it in fields],
        "field": [it.number for it in fields],
        "t": [output.times.start + t for _, t in places],
    }
    added = [field for field in table.schema if field.name not in SCHEMAS[0].names]
    schema = pa.schema([*SCHEMAS[1], *added])
    given = {name: values[name] if name in values else table[name] for name in schema.names}
    return pa.table(given, schema=schema)
