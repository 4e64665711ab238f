"""Measure the objects of timepoints, write their tables, and report each."""

from collections.abc import Iterable, Mapping
from typing import Any

import dagster as dg

from idr_assets.imaging.counts import name_ranges
from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.objects.measurements import COLUMNS
from idr_assets.imaging.objects.more_measurements import describe_column
from idr_assets.imaging.objects.table_files import list_more_columns, tables
from idr_assets.imaging.objects.table_folder import keep_tables
from idr_assets.imaging.objects.tables import read_counts, write_objects
from idr_assets.imaging.objects.volumes import write_volumes
from idr_assets.imaging.planes import Block, Plane, runs
from idr_assets.orchestration.assets.metadata import describe_channels, shorten, table
from idr_assets.orchestration.assets.work.partition_report import report_partitions
from idr_assets.orchestration.image import Image

type Metadata = dict[str, Any]

PREVIEW_ROWS = 5
PREVIEW_COLUMNS = ["t", "c", "z", "label", "area", "area_um2", "centroid_y", "centroid_x", "intensity_mean"]
"""Columns of the preview: as many as the UI's dialog has room for."""


def write_tables(context: dg.AssetExecutionContext, image: Image) -> dg.MaterializeResult[None]:
    """Write a table for each timepoint of the run, and report its metadata.

    Raises
    ------
    dagster.Failure
        If timepoints cannot be measured, with the reason for each. The others count as materialized.
    """
    found, failures = _measure(image, map(int, context.partition_keys))
    planes, missing = (sum(it[name] for it in found.values()) for name in ("planes", "planes not materialized"))
    written = f"{len(found)} of {len(found) + len(failures)} tables"
    context.log.info("%s in %s: planes %d, not materialized %d", written, image.objects_url, planes, missing)
    metadata = {image.row_key(t): values for t, values in found.items()}
    reasons = {f"t {t}": reason for t, reason in failures.items()}
    return report_partitions(context, metadata, reasons, "timepoints measured")


def _measure(image: Image, timepoints: Iterable[int]) -> tuple[dict[int, Metadata], dict[int, str]]:
    """Measure timepoints; return the metadata of each table, and the reasons why others failed."""
    output, geometry = image.open_output(), image.geometry
    channels = describe_channels(image, geometry.channels)
    found, failures = {}, {}
    for t in timepoints:
        planes = image.timepoint(t)
        try:
            url, area = image.objects_urls[t], geometry.pixel_area
            written = write_objects(url, output, planes, image.name, area, channels, image.measured)
            found[t] = _describe(image, planes) | {"measured in this run": written}
            found[t] |= _write_volumes(image, planes, geometry.voxel_volume)
        except ImageError as error:
            failures[t] = str(error)
    keep_tables(image.objects_url, image.objects_urls.values())
    if image.volumes_url:
        keep_tables(image.volumes_url, [_of_volumes(image, t) for t in image.t])
    return found, failures


def _write_volumes(image: Image, planes: Block, voxel: float | None) -> Metadata:
    """Write the table of objects in space of a timepoint, if the recipe works on volumes, and describe it."""
    if not image.volumes_url:
        return {}
    (t,), slices = planes.t, image.shape[2]
    url = _of_volumes(image, t)
    number = write_volumes(url, image.objects_urls[t], planes, slices, voxel)
    return {"objects in space": number, "path of objects in space": dg.MetadataValue.path(url)}


def _of_volumes(image: Image, t: int) -> str:
    return f"{image.volumes_url}/{image.objects_urls[t].rpartition('/')[2]}"


def _describe(image: Image, planes: Block) -> Metadata:
    url = image.objects_urls[planes.t[0]]
    counts = read_counts([url], planes)
    return {
        "path": dg.MetadataValue.path(url),
        "dagster/row_count": sum(counts.values()),
        "dagster/column_schema": describe_columns(url),
        "preview": preview(url),
        "planes": len(counts),
        "planes without objects": sum(not count for count in counts.values()),
        "planes not materialized": len(planes) - len(counts),
        **_missing(planes, counts),
    }


def _missing(planes: Block, counts: Mapping[Plane, int]) -> Metadata:
    """List all planes that are not in the table; consecutive ones as a range."""
    of_channel = {c: [plane.z for plane in planes.planes() if plane.c == c and plane not in counts] for c in planes.c}
    lines = [f"c {c}: z {name_ranges((run[0], run[-1]) for run in runs(z))}" for c, z in of_channel.items() if z]
    return {"missing planes": "\n".join(lines)} if lines else {}


def describe_columns(url: str) -> dg.TableSchema:
    """Describe the columns of a table of objects for the UI."""
    more = [dg.TableColumn(name, "float64", describe_column(name)) for name in list_more_columns(url)]
    return dg.TableSchema(columns=[*(dg.TableColumn(*column) for column in COLUMNS), *more])


def preview(url: str, names: list[str] = PREVIEW_COLUMNS) -> dg.MarkdownMetadataValue:
    """Show the first rows of a table of objects."""
    rows = [row for rows in tables([url], names) for row in rows.slice(0, PREVIEW_ROWS).to_pylist()]
    return table(names, [[shorten(row[name]) for name in names] for row in rows])
