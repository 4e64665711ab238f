"""The Parquet files of tables: their columns, and how they are written whole and read."""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from idr_assets.imaging.errors import ImageError, mask
from idr_assets.imaging.objects.measurements import COLUMNS
from idr_assets.imaging.objects.plate_columns import plate_schema
from idr_assets.imaging.output.files import write_file
from idr_assets.imaging.store_text import cite
from idr_assets.imaging.stores.by_address import open_filesystem

if TYPE_CHECKING:
    import pandas as pd  # takes half a second to import; pyarrow does when a frame is asked for

SCHEMA = pa.schema([pa.field(name, kind, metadata={"meaning": meaning}) for name, kind, meaning in COLUMNS])


EARLIER = SCHEMA.remove(SCHEMA.get_field_index("channel"))
"""The columns of tables that an earlier version wrote."""


SCHEMAS = (SCHEMA, plate_schema(SCHEMA), EARLIER)
"""Of the tables of an image, of a plate, and of an image by an earlier version."""


EMPTY = pa.Table.from_batches([], schema=SCHEMA)


def read_frame(url: str) -> "pd.DataFrame":
    """Read a table of other columns, such as the overview of a list."""
    filesystem, path = open_filesystem(url)
    with filesystem.open(path, "rb") as file:
        return pq.read_table(file).to_pandas()


def write_table(url: str, table: pa.Table, notes: Mapping[str, str]) -> None:
    """Write a table with these notes; raise `ImageError` if the disk is full."""
    write_file(url, encode_table(table, notes))


def encode_table(table: pa.Table, notes: Mapping[str, str]) -> bytes:
    """Return the file of a table with these notes."""
    stream = BytesIO()
    pq.write_table(table.replace_schema_metadata(notes), stream, compression="zstd", write_page_checksum=True)
    return stream.getvalue()


def tables(urls: Iterable[str], columns: list[str] | None = None) -> Iterator[pa.Table]:
    """Read the tables at `urls`, all columns or some; absent tables are left out.

    Raises `ImageError` if one is damaged.
    """
    for url in urls:
        with _open(url) as table:
            if table:
                of_plate = "well" in table.schema_arrow.names
                known = SCHEMAS[of_plate].names
                more = [name for name in table.schema_arrow.names if name not in known]
                yield _read(table, columns or [*known, *more])


def _read(table: pq.ParquetFile, columns: list[str]) -> pa.Table:
    """Read columns of a table; channels have no names in one of an earlier version."""
    found = table.read([name for name in columns if name in table.schema_arrow.names])
    for at, name in enumerate(columns):
        if name not in found.column_names:
            found = found.add_column(at, SCHEMA.field(name), pa.nulls(len(found), SCHEMA.field(name).type))
    return found


@contextmanager
def _open(url: str) -> Iterator[pq.ParquetFile | None]:
    """Open the table at `url`, or yield None if it is absent; `ImageError` if it is damaged, or another table."""
    filesystem, path = open_filesystem(url)
    if not filesystem.exists(path):
        yield None
        return
    try:
        with filesystem.open(path, "rb") as file:
            table = pq.ParquetFile(file, page_checksum_verification=True)
            if not any(_begins_with(table.schema_arrow, schema) for schema in SCHEMAS):
                message = f"its columns are {', '.join(table.schema_arrow.names)}"
                raise _explain_damage(url, message)
            yield table
    except (pa.ArrowException, OSError) as error:
        raise _explain_damage(url, error) from error


def _begins_with(found: pa.Schema, schema: pa.Schema) -> bool:
    """Return whether a table has these columns, and after them only measured numbers."""
    more = range(len(schema), len(found))
    first = pa.schema([found.field(at) for at in range(min(len(schema), len(found)))])
    return first.equals(schema) and all(found.field(at).type == pa.float64() for at in more)


def list_more_columns(url: str) -> list[str]:
    """List the columns of a table that not every table has; none if it is absent, `ImageError` if it is damaged."""
    known = {*SCHEMAS[0].names, *SCHEMAS[1].names}
    with _open(url) as table:
        return [name for name in table.schema_arrow.names if name not in known] if table else []


def is_made_from(url: str, origin: str) -> bool:
    """Return whether an undamaged table of this origin exists."""
    try:
        found = next(tables([url]), None)
    except ImageError:
        return False
    return found is not None and (found.schema.metadata or {}).get(b"made_from") == origin.encode()


def _explain_damage(url: str, error: Exception | str) -> ImageError:
    return ImageError(
        f"The table {mask(url)} cannot be read ({cite(error)}), so its objects are unknown. Materialize `objects`, "
        "which measures them again."
    )


def read_planes_note(url: str) -> Any:  # noqa: ANN401  JSON that the writer knows
    """Read which planes a table is of; an empty list if it is absent, `ImageError` if it is damaged."""
    with _open(url) as table:
        noted: Mapping[bytes, bytes] = (table.schema_arrow.metadata or {}) if table else {b"planes": b"[]"}
    try:
        return json.loads(noted[b"planes"])
    except (KeyError, ValueError) as error:
        raise _explain_damage(url, error) from error
