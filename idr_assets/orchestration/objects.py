"""The asset `<image>/objects`: the table of all objects of the window's planes, a Parquet file for each timepoint.

It has no partitions of its own: a job of Dagster holds assets of one partitions definition only, and that of the labels
is T x Z. What is made from partitions is made anew only where they changed; which these are, the files tell.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import dagster as dg

from idr_assets.imaging.planes import Plane
from idr_assets.orchestration.derived import derived
from idr_assets.orchestration.descriptions import of_objects
from idr_assets.orchestration.image import Image
from idr_assets.orchestration.metadata import listed, table

PREVIEW_ROWS = 5
PREVIEW_COLUMNS = ["t", "c", "z", "label", "area", "area_um2", "centroid_y", "centroid_x", "intensity_mean"]
"""Columns of the preview: as many as the UI's dialog has room for."""


def objects(image: Image) -> dg.AssetsDefinition:
    """Define the asset; its value is the table of all timepoints, a pandas frame."""
    return derived(
        image.key("objects"),
        [image.key("plane_labels")],
        {"parquet", *image.badge},
        of_objects(image),
        lambda: _measure(image),
    )


# pyarrow and scikit-image take half a second to import, which only runs that measure should pay.


def _measure(image: Image) -> dict[str, Any]:
    from idr_assets.imaging.objects import keep_tables, read_counts, write_objects  # noqa: PLC0415

    output, pixel_area, written = image.open_output(), image.geometry.pixel_area, 0
    for t, url in zip(image.t, image.objects_urls, strict=True):
        planes = replace(image.window, t=range(t, t + 1))
        written += write_objects(url, output, planes, image.name, pixel_area)
    keep_tables(image.objects_urls)
    counts = read_counts(image.objects_urls, image.window)
    return {
        "path": dg.MetadataValue.path(image.objects_url),
        "dagster/row_count": sum(counts.values()),
        "dagster/column_schema": _column_schema(),
        "preview": _preview(image),
        "timepoints measured": written,
        "timepoints unchanged": len(image.t) - written,
        **_numbers(image, counts),
    }


def _numbers(image: Image, counts: Mapping[Plane, int]) -> dict[str, Any]:
    missing = [str(plane) for plane in image.window.planes() if plane not in counts]
    numbers: dict[str, Any] = {
        "planes": len(counts),
        "planes without objects": sum(not count for count in counts.values()),
        "planes not materialized": len(missing),
    }
    return numbers | ({"missing planes": listed(missing)} if missing else {})


def _column_schema() -> dg.TableSchema:
    from idr_assets.imaging.measurements import COLUMNS  # noqa: PLC0415

    return dg.TableSchema(columns=[dg.TableColumn(name, kind, meaning) for name, kind, meaning in COLUMNS])


def _preview(image: Image) -> dg.MarkdownMetadataValue:
    from idr_assets.imaging.objects import tables  # noqa: PLC0415

    first = next((it.slice(0, PREVIEW_ROWS) for it in tables(image.objects_urls, PREVIEW_COLUMNS) if it.num_rows), None)
    rows = first.to_pylist() if first else []
    return table(PREVIEW_COLUMNS, [[_short(row[name]) for name in PREVIEW_COLUMNS] for row in rows])


def _short(value: float | None) -> str:
    return "" if value is None else f"{value:.5g}" if isinstance(value, float) else str(value)
