"""The tables of objects: a Parquet file for each timepoint, with a row for each object of its planes.

The file also lists the measured planes with their numbers of objects, so that a plane without objects differs from one
that was missing, and a hash of what it was made from, so that it is written again only when that has changed.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from idr_assets.imaging.channels import UNNAMED, Channel
from idr_assets.imaging.errors import ImageError, mask
from idr_assets.imaging.objects.large_planes import measure_by_parts
from idr_assets.imaging.objects.measurements import VERSION, Columns, measure
from idr_assets.imaging.objects.more_measurements import NOTHING_MORE, Measured
from idr_assets.imaging.objects.table_files import EMPTY, SCHEMA, is_made_from, read_planes_note, tables, write_table
from idr_assets.imaging.output.files import read_ends, write_file
from idr_assets.imaging.output.output_image import OutputImage
from idr_assets.imaging.output.read_back import read_checksums
from idr_assets.imaging.planes import Block, Plane

if TYPE_CHECKING:
    import pandas as pd  # takes half a second to import; pyarrow does when a frame is asked for


def objects_frame(urls: Sequence[str]) -> "pd.DataFrame":
    """Read the tables at `urls`, one for each timepoint, as one frame with the columns `measurements.COLUMNS` and more.

    Rows are in the order of `urls`, then by c, z and label. A table may be absent. Raises `ImageError` if all are
    absent, or one is damaged.
    """
    found = list(tables(urls))
    if not found:
        raise explain_unmeasured(urls)
    return pa.concat_tables(found, promote_options="default").to_pandas()


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
    more: Measured = NOTHING_MORE,
    copies: Sequence[str] = (),
) -> bool:
    """Measure the planes of a timepoint and write their table, unless it exists; return whether it was written.

    Planes are read one by one. Those that are not stored are left out. `pixel_area` is in µm²; `more` is what is
    measured beside the usual. One of the tables at `copies` is copied if it is the same. Raises `ImageError` if the
    disk is full, or if `more` cannot be measured.
    """
    names = {c: channels[c].name for c in (*planes.c, *more.channels) if c in channels}
    checksums = dict(zip(planes.planes(), read_checksums(output, planes.planes()), strict=True))
    origin = hash_origin(f"{image} {names}" if names else image, pixel_area, checksums, more)
    if is_made_from(url, origin):
        return False
    for folder, _, name in (each.rpartition("/") for each in copies if is_made_from(each, origin)):
        if (body := read_ends(folder, [name], 0)[0]) is not None:
            write_file(url, body)
            return True
    table, counts = measure_planes(image, output, planes.planes(), pixel_area, names, more)
    notes = {"planes": json.dumps(counts), "made_from": origin}
    write_table(url, table, notes)
    return True


def read_counts(urls: Iterable[str], window: Block) -> dict[Plane, int]:
    """Return the number of objects of each measured plane of the window; a table may be absent.

    Raises `ImageError` if one is damaged.
    """
    found = {Plane(t, c, z): number for url in urls for t, c, z, number in read_planes_note(url)}
    return {plane: found[plane] for plane in window.planes() if plane in found}


def read_areas(urls: Iterable[str], window: Block) -> dict[int, npt.NDArray[np.int64]]:
    """Return the areas, in pixels, of all objects in the window, by channel; a table may be absent."""
    columns = ["c", "z", "area"]
    found = pa.concat_tables([EMPTY.select(columns), *tables(urls, columns)])
    channel, z, area = (np.from_dlpack(found[name].combine_chunks()) for name in columns)
    within = (z >= window.z.start) & (z < window.z.stop)
    return {c: area[within & (channel == c)] for c in window.c}


def measure_planes(  # noqa: PLR0913, PLR0917
    image: str,
    output: OutputImage,
    planes: Iterable[Plane],
    pixel_area: float | None,
    names: Mapping[int, str | None],
    more: Measured,
) -> tuple[pa.Table, list[tuple[int, int, int, int]]]:
    """Return the table of the planes that are stored, and (t, c, z, number of objects) of each."""
    found, counts = [EMPTY], []
    for plane, columns, own in _measure(image, output, planes, pixel_area, names, more):
        rows = len(columns["label"])
        arrays = [
            _array(columns[it.name]).cast(it.type) if it.name in columns else pa.nulls(rows, it.type) for it in SCHEMA
        ]
        arrays += [_array(values).cast("float64") for values in own.values()]
        found.append(pa.table(arrays, pa.schema([*SCHEMA, *(pa.field(name, "float64") for name in own)])))
        counts.append((plane.t, plane.c, plane.z, rows))
    return pa.concat_tables(found, promote_options="default"), counts


def _measure(  # noqa: PLR0913, PLR0917
    image: str,
    output: OutputImage,
    planes: Iterable[Plane],
    pixel_area: float | None,
    names: Mapping[int, str | None],
    more: Measured,
) -> Iterator[tuple[Plane, Columns, Columns]]:
    """Measure planes that are stored; large ones by parts, unless functions need whole planes."""
    by_parts = output.is_large and not more.functions
    for plane in planes:
        if by_parts and (found := measure_by_parts(image, output, plane, pixel_area, names, more)):
            yield plane, *found
        elif not by_parts and (labelled := output.read(plane)):
            columns = measure(image, labelled, pixel_area, names.get(plane.c))
            yield plane, columns, more.measure(output, labelled, names)


def _array(values: npt.NDArray[Any]) -> pa.Array:
    """Wrap numpy's memory as an Arrow array: `pyarrow.array` would import pandas, which takes two seconds."""
    values = values.view(np.uint8) if values.dtype == bool else values
    kind = pa.binary(values.itemsize) if values.dtype.kind == "S" else pa.from_numpy_dtype(values.dtype)
    return pa.Array.from_buffers(kind, len(values), [None, pa.py_buffer(np.ascontiguousarray(values))])


def hash_origin(image: str, pixel_area: float | None, stored: Mapping[Any, str | None], more: Measured) -> str:
    """Hash what a table is made from: the same planes, pixels, labels and measurements give the same table."""
    parts = [VERSION, image, pixel_area, {str(plane): it for plane, it in stored.items()}, *more.version]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
