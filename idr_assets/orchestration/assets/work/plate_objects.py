"""Measure the objects of wells, write their tables, and report each."""

from typing import Any

import dagster as dg

from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.objects.plate_columns import PLATE_COLUMNS
from idr_assets.imaging.objects.plate_tables import read_plate_counts, write_well
from idr_assets.imaging.objects.table_folder import keep_tables
from idr_assets.imaging.wells import name_fields
from idr_assets.orchestration.assets.metadata import describe_channels
from idr_assets.orchestration.assets.work.objects import describe_columns, preview
from idr_assets.orchestration.assets.work.partition_report import report_partitions
from idr_assets.orchestration.plate import Plate

PREVIEW = ["well", "field", "c", "z", "label", "area", "area_um2", "intensity_mean"]
"""Columns of the preview: as many as the UI's dialog has room for."""


def write_wells(context: dg.AssetExecutionContext, plate: Plate) -> dg.MaterializeResult[None]:
    """Write a table for each well of the run, and report its metadata.

    Raises
    ------
    dagster.Failure
        If wells cannot be measured, with the reason for each. The others count as materialized.
    """
    urls = plate.objects_urls
    output, geometry = plate.open_output(), plate.geometry
    channels = {c: it.name for c, it in describe_channels(plate, geometry.channels).items()}
    found: dict[str, dict[str, Any]] = {}
    failures: dict[str, str] = {}
    for well in context.partition_keys:
        url, planes = urls[plate.measured_row(well)], plate.planes_of(well)
        try:
            area, more = geometry.pixel_area, plate.measured
            written = write_well(url, output, planes, plate.name, area, channels, more)
            counts = read_plate_counts([url], plate.fields, plate.times)
        except ImageError as error:
            failures[well] = name_fields(str(error), plate.fields, plate.times)
            continue
        found[well] = {
            "path": dg.MetadataValue.path(url),
            "dagster/row_count": sum(counts.values()),
            "dagster/column_schema": _columns(url),
            "preview": preview(url, PREVIEW),
            "planes": len(counts),
            "planes not materialized": len(planes) - len(counts),
            "measured in this run": written,
        }
    keep_tables(plate.objects_url, urls.values())
    context.log.info("%d of %d tables in %s", len(found), len(context.partition_keys), plate.objects_url)
    return report_partitions(context, found, failures, "wells measured")


def _columns(url: str) -> dg.TableSchema:
    first, *others = describe_columns(url).columns
    return dg.TableSchema(columns=[first, *(dg.TableColumn(*column) for column in PLATE_COLUMNS), *others])
