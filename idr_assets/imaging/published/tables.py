"""The tables within a published image, as ngio and Fractal read them: its objects, and how many each plane has.

Each is a folder of Parquet files, one for each timepoint, so that a run writes those of its timepoints alone.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from idr_assets.imaging.objects.measurements import COLUMNS
from idr_assets.imaging.objects.more_measurements import describe_column
from idr_assets.imaging.objects.table_files import SCHEMA, encode_table, list_more_columns, read_planes_note
from idr_assets.imaging.output.files import read_ends, write_file
from idr_assets.imaging.output.nodes import read_attributes
from idr_assets.imaging.published.attributes import FORMAT

COUNTS = pa.schema([*(SCHEMA.field(name) for name in ("t", "c", "channel", "z")), pa.field("objects", "int64")])


def name_tables(labels: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Name the tables of each label group: that of its objects, and that of their numbers."""
    ends = {name: f"_{name}" if len(labels) > 1 else "" for name in labels}
    return {name: (f"objects{end}", f"object_counts{end}") for name, end in ends.items()}


def describe_tables(labels: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return the attributes of the group of all tables, and of each, by their paths."""
    named = name_tables(labels)
    groups: dict[str, dict[str, Any]] = {"tables": {"tables": [each for both in named.values() for each in both]}}
    parquet = {"table_version": "1", "backend": "parquet"}
    meanings = {column.name: column.meaning for column in COLUMNS}
    for name, (objects, counts) in named.items():
        of_labels = {"region": {"path": f"../labels/{name}"}, "instance_key": "label"}
        index = {"index_key": "label", "index_type": "int"}
        groups[f"tables/{objects}"] = {"type": "feature_table", **parquet, **of_labels, **index, "columns": meanings}
        meant = {key: meanings[key] for key in COUNTS.names if key in meanings}
        meant["objects"] = "number of objects of the plane, 0 if it has none; planes that are missing have no row"
        groups[f"tables/{counts}"] = {"type": "condition_table", **parquet, "columns": meant}
    return groups


def note_columns(url: str, table: str, timepoints: Iterable[int], *, anew: bool) -> None:
    """Say in the attributes of a table of objects which columns its timepoints have beside the usual.

    What was noted of others stays, unless `anew`.
    """
    found = [name for t in timepoints for name in list_more_columns(table_url(url, table, t))]
    folder = f"{url}/tables/{table}"
    (stored,) = read_ends(folder, [FORMAT.group], 0)
    document = json.loads(stored or b"{}")
    columns = document["attributes"]["columns"]
    usual = {column.name: column.meaning for column in COLUMNS}
    wanted = (usual if anew else columns) | {name: describe_column(name) for name in found}
    if wanted != columns:
        document["attributes"]["columns"] = wanted
        write_file(f"{folder}/{FORMAT.group}", json.dumps(document, indent=2).encode())


def keep_columns(document: bytes, stored: bytes | None) -> bytes:
    """Keep in a new document of a table of objects which columns the stored one names beside the usual."""
    content = json.loads(document)
    columns = content["attributes"]["columns"]
    content["attributes"]["columns"] = read_attributes(stored or b"").get("columns", {}) | columns
    return json.dumps(content, indent=2).encode()


def table_url(url: str, table: str, t: int) -> str:
    """Return the address of the file of a timepoint of a table of the published image at `url`."""
    return f"{url}/tables/{table}/table.parquet/t={t:06}.parquet"


def write_counts(url: str, objects: str, channels: Mapping[int, str | None]) -> None:
    """Write how many objects each plane of the table at `objects` has, unless that is stored already.

    `channels` are the names of channels that have any.
    """
    rows = [
        {"t": t, "c": c, "channel": channels.get(c), "z": z, "objects": number}
        for t, c, z, number in read_planes_note(objects)
    ]
    body = encode_table(pa.Table.from_pylist(rows, COUNTS), {})
    folder, _, name = url.rpartition("/")
    if read_ends(folder, [name], 0) != [body]:
        write_file(url, body)
