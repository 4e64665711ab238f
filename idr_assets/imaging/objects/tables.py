"""The tables of objects: a Parquet file for each timepoint, with a row for each object of its planes.

The file also lists the measured planes with their numbers of objects, so that a plane without objects differs from one
that was missing, and a hash of what it was made from, so that it is written again only when that has changed.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from idr_assets.imaging.channels import UNNAMED, Channel
from idr_assets.imaging.errors import ImageError, mask
from idr_assets.imaging.objects.measurements import COLUMNS, VERSION, measure
from idr_assets.imaging.objects.plate_columns import plate_schema
from idr_assets.imaging.output.files import write_file
from idr_assets.imaging.output.output_image import OutputImage
from idr_assets.imaging.output.read_back import read_checksums
from idr_assets.imaging.planes import Block, LabelledPlane, Plane
from idr_assets.imaging.store_text import cite
from idr_assets.imaging.stores.by_address import open_filesystem

if TYPE_CHECKING:
    import pandas as pd  # takes half a second to import; pyarrow does when a frame is asked for

SCHEMA = pa.schema([pa.field(name, kind, metadata={"meaning": meaning}) for name, kind, meaning in COLUMNS])
EARLIER = SCHEMA.remove(SCHEMA.get_field_index("channel"))
"""The columns of tables that an earlier version wrote."""

SCHEMAS = (SCHEMA, plate_schema(SCHEMA), EARLIER)
"""Of the tables of an image, of a plate, and of an image by an earlier version."""
_EMPTY = pa.Table.from_batches([], schema=SCHEMA)


def objects_frame(urls: Sequence[str]) -> "pd.DataFrame":
    """Read the tables at `urls`, one for each timepoint, as one frame with the columns `measurements.COLUMNS`.

    Rows are in the order of `urls`, then by c, z and label. A table may be absent. Raises `ImageError` if all are
    absent, or one is damaged.
    """
    found = list(tables(urls))
    if not found:
        raise explain_unmeasured(urls)
    return pa.concat_tables(found).to_pandas()


def read_frame(url: str) -> "pd.DataFrame":
    """Read a table of other columns, such as the overview of a list."""
    filesystem, path = open_filesystem(url)
    with filesystem.open(path, "rb") as file:
        return pq.read_table(file).to_pandas()


def explain_unmeasured(urls: Sequence[str]) -> ImageError:
    """Return the error that no table exists at `urls`, or that the existing ones are of no plane."""
    folder = mask(urls[0].rpartition("/")[0])
    if [*tables(urls, ["t"])]:
        return ImageError(
            f"No plane of the window was measured: none was stored when the tables of objects in {folder} were "
            "written. Materialize planes, then `objects`."
        )
    return ImageError(
        f"There is no table of objects in {folder}: nothing has been measured. Materialize `objects` first."
    )


def write_objects(  # noqa: PLR0913, PLR0917
    url: str,
    output: OutputImage,
    planes: Block,
    image: str,
    pixel_area: float | None,
    channels: Mapping[int, Channel] = UNNAMED,
) -> bool:
    """Measure the planes of a timepoint and write their table, unless it exists; return whether it was written.

    Planes are read one by one. Those that are not stored are left out. `pixel_area` is in µm². Raises `ImageError` if
    the disk is full.
    """
    names = {c: channels[c].name for c in planes.c if c in channels}
    checksums = dict(zip(planes.planes(), read_checksums(output, planes.planes()), strict=True))
    origin = hash_origin(f"{image} {names}" if names else image, pixel_area, checksums)
    if is_made_from(url, origin):
        return False
    stored = (labelled for plane in planes.planes() if (labelled := output.read(plane)))
    table, counts = measure_planes(image, stored, pixel_area, names)
    notes = {"planes": json.dumps(counts), "made_from": origin}
    write_table(url, table, notes)
    return True


def write_table(url: str, table: pa.Table, notes: Mapping[str, str]) -> None:
    """Write a table with these notes; raise `ImageError` if the disk is full."""
    stream = BytesIO()
    pq.write_table(table.replace_schema_metadata(notes), stream, compression="zstd", write_page_checksum=True)
    write_file(url, stream.getvalue())


def read_counts(urls: Iterable[str], window: Block) -> dict[Plane, int]:
    """Return the number of objects of each measured plane of the window; a table may be absent.

    Raises `ImageError` if one is damaged.
    """
    found = {Plane(t, c, z): number for url in urls for t, c, z, number in _counts(url)}
    return {plane: found[plane] for plane in window.planes() if plane in found}


def read_areas(urls: Iterable[str], window: Block) -> dict[int, npt.NDArray[np.int64]]:
    """Return the areas, in pixels, of all objects in the window, by channel; a table may be absent."""
    columns = ["c", "z", "area"]
    found = pa.concat_tables([_EMPTY.select(columns), *tables(urls, columns)])
    channel, z, area = (np.from_dlpack(found[name].combine_chunks()) for name in columns)
    within = (z >= window.z.start) & (z < window.z.stop)
    return {c: area[within & (channel == c)] for c in window.c}


def tables(urls: Iterable[str], columns: list[str] | None = None) -> Iterator[pa.Table]:
    """Read the tables at `urls`, all columns or some; absent tables are left out.

    Raises `ImageError` if one is damaged.
    """
    for url in urls:
        with _open(url) as table:
            if table:
                of_plate = "well" in table.schema_arrow.names
                yield _read(table, columns or SCHEMAS[of_plate].names)


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
            if not any(table.schema_arrow.equals(schema) for schema in SCHEMAS):
                message = f"its columns are {', '.join(table.schema_arrow.names)}"
                raise _explain_damage(url, message)
            yield table
    except (pa.ArrowException, OSError) as error:
        raise _explain_damage(url, error) from error


def is_made_from(url: str, origin: str) -> bool:
    """Return whether an undamaged table of this origin exists."""
    try:
        found = next(tables([url]), None)
    except ImageError:
        return False
    return found is not None and (found.schema.metadata or {}).get(b"made_from") == origin.encode()


def measure_planes(
    image: str, planes: Iterable[LabelledPlane], pixel_area: float | None, names: Mapping[int, str | None]
) -> tuple[pa.Table, list[tuple[int, int, int, int]]]:
    """Return the table of planes, and (t, c, z, number of objects) of each."""
    found, counts = [_EMPTY], []
    for plane in planes:
        columns = measure(image, plane, pixel_area, names.get(plane.c))
        rows = len(columns["label"])
        arrays = [
            _array(columns[it.name]).cast(it.type) if it.name in columns else pa.nulls(rows, it.type) for it in SCHEMA
        ]
        found.append(pa.table(arrays, schema=SCHEMA))
        counts.append((plane.t, plane.c, plane.z, rows))
    return pa.concat_tables(found), counts


def _array(values: npt.NDArray[Any]) -> pa.Array:
    """Wrap numpy's memory as an Arrow array: `pyarrow.array` would import pandas, which takes two seconds."""
    values = values.view(np.uint8) if values.dtype == bool else values
    kind = pa.binary(values.itemsize) if values.dtype.kind == "S" else pa.from_numpy_dtype(values.dtype)
    return pa.Array.from_buffers(kind, len(values), [None, pa.py_buffer(np.ascontiguousarray(values))])


def hash_origin(image: str, pixel_area: float | None, stored: Mapping[Any, str | None]) -> str:
    """Hash what a table is made from: the same planes, pixels and labels give the same table."""
    parts = [VERSION, image, pixel_area, {str(plane): checksum for plane, checksum in stored.items()}]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _explain_damage(url: str, error: Exception | str) -> ImageError:
    return ImageError(
        f"The table {mask(url)} cannot be read ({cite(error)}), so its objects are unknown. Materialize `objects`, "
        "which measures them again."
    )


def _counts(url: str) -> list[tuple[int, int, int, int]]:
    """Read (t, c, z, number of objects) of each plane of a table; none if it is absent."""
    found: list[tuple[int, int, int, int]] = read_planes_note(url)
    return found


def read_planes_note(url: str) -> Any:  # noqa: ANN401  JSON that the writer knows
    """Read which planes a table is of; an empty list if it is absent, `ImageError` if it is damaged."""
    with _open(url) as table:
        noted: Mapping[bytes, bytes] = (table.schema_arrow.metadata or {}) if table else {b"planes": b"[]"}
    try:
        return json.loads(noted[b"planes"])
    except (KeyError, ValueError) as error:
        raise _explain_damage(url, error) from error
