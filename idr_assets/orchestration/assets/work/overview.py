"""Write the overview of a list of images: its table, and its figure."""

from io import BytesIO
from typing import Any

import dagster as dg
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from idr_assets.imaging.errors import ImageError, mask
from idr_assets.imaging.figures.overview import Thumbnail, draw_overview
from idr_assets.imaging.objects.tables import read_areas, read_counts
from idr_assets.imaging.output.files import write_file
from idr_assets.imaging.planes import evenly_spread
from idr_assets.orchestration.assets.metadata import shorten, table
from idr_assets.orchestration.assets.work.figure_file import write_figure
from idr_assets.orchestration.dead_runs import fail_dead_runs
from idr_assets.orchestration.image import Image
from idr_assets.orchestration.image_list import ImageList, ListedImage
from idr_assets.orchestration.partitions import cells_by_key, window_partitions
from idr_assets.orchestration.versions import is_stale, latest_tags, version_tags

MOST_SHOWN = 200
"""Most images of the figure, and rows of the table in the UI; the file has all."""

ADDRESSES = {"labels", "montage", "source"}
"""Columns of the file alone; the table in the UI has no room for them."""


def write_overview(instance: dg.DagsterInstance, images: ImageList) -> dict[str, Any]:
    """Write the table and the figure of a list, and return the asset's metadata."""
    rows = [_describe(instance, listed, image) for listed in images.images for image in listed.images]
    own = list(dict.fromkeys(name for listed in images.images for name in listed.columns))
    several = ["segmentation"] if any(row["segmentation"] for row in rows) else []
    columns = list(dict.fromkeys(["image", *several, *own, *(name for name in rows[0] if name != "segmentation")]))
    stream = BytesIO()
    pq.write_table(pa.Table.from_pylist([{name: row.get(name) for name in columns} for row in rows]), stream)
    write_file(images.overview_url("parquet"), stream.getvalue())
    sheet = [(listed, image) for listed in images.images for image in listed.images]
    shown = evenly_spread(sheet, MOST_SHOWN)
    thumbnails = [_thumbnail(image, _group(images, listed)) for listed, image in shown]
    figure = draw_overview(thumbnails, title=images.name, omitted=len(sheet) - len(shown), group_by=images.group_by)
    written = write_figure(images.overview_url("png"), figure, "overview")
    return {
        "path": dg.MetadataValue.path(images.overview_url("parquet")),
        "path of the figure": written.pop("path"),
        **written,
        "images": _show(rows[:MOST_SHOWN], [name for name in columns if name not in ADDRESSES]),
        "dagster/row_count": len(rows),
        **{name: sum(row[name] or 0 for row in rows) for name in ("planes", "done", "failed", "stale", "objects")},
    }


def _describe(instance: dg.DagsterInstance, listed: ListedImage, image: Image) -> dict[str, Any]:
    return {
        **listed.columns,
        "image": image.name,
        "segmentation": image.segmentation,
        **_count_planes(instance, image),
        **_measure(image),
        "links": "; ".join(image.links.values()),
        "labels": image.labels_url,
        "montage": image.montage_url,
        "source": mask(image.url),
    }


def _count_planes(instance: dg.DagsterInstance, image: Image) -> dict[str, int]:
    """Count the partitions of the window by what became of them; dead runs are marked as failed first."""
    fail_dead_runs(instance)
    key, keys = dg.AssetKey(image.key("plane_labels")), list(cells_by_key(image))
    states = instance.get_status_by_partition(key, keys, window_partitions(image)) or {}
    named = {it: state.name for it, state in states.items() if state}
    made, noted = instance.get_materialized_partitions(key), latest_tags(instance, key)
    wanted = version_tags(instance, image)
    done = [it for it in keys if it in made and named.get(it) == "MATERIALIZED"]
    return {
        "planes": len(keys),
        "done": len(done),
        "failed": sum(named.get(it) == "FAILED" for it in keys),
        "stale": sum(it in noted and is_stale(noted[it], wanted) for it in done),
    }


def _measure(image: Image) -> dict[str, int | float | None]:
    """Count the objects of the tables, and take the median of their areas; None if nothing is measured."""
    urls = list(image.objects_urls.values())
    counts = read_counts(urls, image.window)
    if not counts:
        return {"objects": None, "median_area": None, "median_area_um2": None}
    areas = np.concatenate(list(read_areas(urls, image.window).values()))
    median, pixel_area = (float(np.median(areas)) if len(areas) else None), image.geometry.pixel_area
    in_um2 = median * pixel_area if median is not None and pixel_area else None
    return {"objects": sum(counts.values()), "median_area": median, "median_area_um2": in_um2}


def _thumbnail(image: Image, group: str) -> Thumbnail:
    """Read the middle plane of the window; one that is not stored, or damaged, is shown as such."""
    (plane,) = image.window.middle.planes()
    try:
        return Thumbnail(image.title, group, image.open_output().read(plane))
    except ImageError:
        return Thumbnail(image.title, group, None)


def _group(images: ImageList, listed: ListedImage) -> str:
    return listed.columns.get(images.group_by, "none") if images.group_by else ""


def _show(rows: list[dict[str, Any]], columns: list[str]) -> dg.MarkdownMetadataValue:
    used = [name for name in columns if any(row.get(name) not in {None, ""} for row in rows)]
    return table(used, [[shorten(row.get(name)) for name in used] for row in rows])
