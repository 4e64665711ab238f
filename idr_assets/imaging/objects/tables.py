"""The tables of objects: a Parquet file for each timepoint, with a row for each object of its planes.

The file also tells which planes were measured and how many objects each has, so that a plane without objects differs
from one that was not there; and what it was made from, so that it is made anew only when that changed. What is measured
stands in `measurements`.
"""

import hashlib
import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from idr_assets.imaging.errors import ImageError, masked
from idr_assets.imaging.objects.measurements import COLUMNS, VERSION, measure
from idr_assets.imaging.output.files import remove_file, write_file
from idr_assets.imaging.output.output_image import OutputImage
from idr_assets.imaging.output.read_back import checksums
from idr_assets.imaging.planes import Block, LabelledPlane, Plane
from idr_assets.imaging.store_text import cite
from idr_assets.imaging.stores.by_address import open_filesystem

if TYPE_CHECKING:
    import pandas as pd  # pyarrow imports it, which takes half a second, when a frame is asked for

SCHEMA = pa.schema([pa.field(name, kind, metadata={"meaning": meaning}) for name, kind, meaning in COLUMNS])
_OWN = re.compile(r"(t=.*\.parquet)(\..*\.partial)?")  # a table, or what a killed writer left of it
_EMPTY = pa.Table.from_batches([], schema=SCHEMA)


def objects_frame(urls: Sequence[str]) -> "pd.DataFrame":
    """Read the tables at `urls`, a timepoint each, as one frame in their order: by t, c, z, label.

    Its columns are `measurements.COLUMNS`; a table may be absent. Raises `ImageError` where all are, or one is damaged.
    """
    found = list(tables(urls))
    if not found:
        raise not_measured(urls)
    return pa.concat_tables(found).to_pandas()


def keep_tables(folder: str, urls: Collection[str]) -> None:
    """Remove all tables but `urls` from a folder: of a former window, or named when there were more timepoints.

    Whoever reads the folder would take their objects for those of the image as it is now. Partial files of the removed
    tables go with them, which no writer clears away any more.
    """
    filesystem, path = open_filesystem(folder)
    for file in filesystem.ls(path, detail=False) if filesystem.exists(path) else []:
        name = file.rpartition("/")[2]
        if (own := _OWN.fullmatch(name)) and f"{folder}/{own[1]}" not in urls:
            remove_file(f"{folder}/{name}")


def not_measured(urls: Sequence[str]) -> ImageError:
    """Say that there is no table at `urls`, or that those that are there were made of no plane."""
    folder = masked(urls[0].rpartition("/")[0])
    if [*tables(urls, ["t"])]:
        return ImageError(
            f"No plane of the window was measured: the tables of objects in {folder} were made when none was stored. "
            "Materialize planes, then `objects`."
        )
    return ImageError(f"No table of objects in {folder}: nothing was measured yet. Materialize `objects` first.")


def write_objects(url: str, output: OutputImage, planes: Block, image: str, pixel_area: float | None) -> bool:
    """Measure the planes of a timepoint and write their table, unless it is there; tell whether it was written.

    Planes are read one by one, and those that are not stored are left out. `pixel_area` is in µm². Raises `ImageError`
    on a full disk.
    """
    origin = _origin(image, pixel_area, dict(zip(planes.planes(), checksums(output, planes.planes()), strict=True)))
    if _is_made_from(url, origin):
        return False
    stored = (labelled for plane in planes.planes() if (labelled := output.read(plane)))
    table, counts = _measured(image, stored, pixel_area)
    notes = {"planes": json.dumps(counts), "made_from": origin}
    stream = BytesIO()
    pq.write_table(table.replace_schema_metadata(notes), stream, compression="zstd", write_page_checksum=True)
    write_file(url, stream.getvalue())
    return True


def read_counts(urls: Iterable[str], window: Block) -> dict[Plane, int]:
    """Give the number of objects of each plane of the window that was measured; a table may be absent.

    Raises `ImageError` where one is damaged.
    """
    found = {Plane(t, c, z): number for url in urls for t, c, z, number in _counts(url)}
    return {plane: found[plane] for plane in window.planes() if plane in found}


def read_areas(urls: Iterable[str], window: Block) -> dict[int, npt.NDArray[np.int64]]:
    """Give the areas in pixels of all objects of the window's planes, by channel; a table may be absent."""
    columns = ["c", "z", "area"]
    found = pa.concat_tables([_EMPTY.select(columns), *tables(urls, columns)])
    channel, z, area = (np.from_dlpack(found[name].combine_chunks()) for name in columns)
    within = (z >= window.z.start) & (z < window.z.stop)
    return {c: area[within & (channel == c)] for c in window.c}


def tables(urls: Iterable[str], columns: list[str] | None = None) -> Iterator[pa.Table]:
    """Read the tables at `urls`, some of their columns or all; one that is absent is left out.

    Raises `ImageError` where one is damaged.
    """
    for url in urls:
        with _opened(url) as table:
            if table:
                yield table.read(columns)


@contextmanager
def _opened(url: str) -> Iterator[pq.ParquetFile | None]:
    """Open the table at `url`, None where it is absent; `ImageError` where it is damaged, or none of objects."""
    filesystem, path = open_filesystem(url)
    if not filesystem.exists(path):
        yield None
        return
    try:
        with filesystem.open(path, "rb") as file:
            table = pq.ParquetFile(file, page_checksum_verification=True)
            if not table.schema_arrow.equals(SCHEMA):
                message = f"its columns are {', '.join(table.schema_arrow.names)}"
                raise _damaged(url, message)
            yield table
    except (pa.ArrowException, OSError) as error:
        raise _damaged(url, error) from error


def _is_made_from(url: str, origin: str) -> bool:
    """Tell whether there is a whole table of this origin."""
    try:
        found = next(tables([url]), None)
    except ImageError:
        return False
    return found is not None and (found.schema.metadata or {}).get(b"made_from") == origin.encode()


def _measured(
    image: str, planes: Iterable[LabelledPlane], pixel_area: float | None
) -> tuple[pa.Table, list[tuple[int, int, int, int]]]:
    """Give the table of planes, and (t, c, z, number of objects) of each."""
    found, counts = [_EMPTY], []
    for plane in planes:
        columns = measure(image, plane, pixel_area)
        rows = len(columns["label"])
        arrays = [
            _array(columns[it.name]).cast(it.type) if it.name in columns else pa.nulls(rows, it.type) for it in SCHEMA
        ]
        found.append(pa.table(arrays, schema=SCHEMA))
        counts.append((plane.t, plane.c, plane.z, rows))
    return pa.concat_tables(found), counts


def _array(values: npt.NDArray[Any]) -> pa.Array:
    """Hand numpy's memory to Arrow, whose own way imports pandas, which takes two seconds, as does the way back."""
    values = values.view(np.uint8) if values.dtype == bool else values
    kind = pa.binary(values.itemsize) if values.dtype.kind == "S" else pa.from_numpy_dtype(values.dtype)
    return pa.Array.from_buffers(kind, len(values), [None, pa.py_buffer(np.ascontiguousarray(values))])


def _origin(image: str, pixel_area: float | None, stored: Mapping[Plane, str | None]) -> str:
    """Name what a table is made from: with the same planes, pixels and labels, it is the same."""
    parts = [VERSION, image, pixel_area, {str(plane): checksum for plane, checksum in stored.items()}]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _damaged(url: str, error: Exception | str) -> ImageError:
    return ImageError(
        f"The table {masked(url)} cannot be read ({cite(error)}), so nothing can be told of its objects. Materialize "
        "`objects`, which measures them anew."
    )


def _counts(url: str) -> list[tuple[int, int, int, int]]:
    """Read (t, c, z, number of objects) of each plane that a table was made of; none where it is absent."""
    with _opened(url) as table:
        noted: Mapping[bytes, bytes] = (table.schema_arrow.metadata or {}) if table else {b"planes": b"[]"}
    try:
        found: list[tuple[int, int, int, int]] = json.loads(noted[b"planes"])
    except (KeyError, ValueError) as error:
        raise _damaged(url, error) from error
    return found
