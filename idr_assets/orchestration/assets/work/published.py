"""Publish timepoints of an image, and report each."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import dagster as dg

from idr_assets.imaging.counts import name_ranges
from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.figures.pictures import outlines_png
from idr_assets.imaging.objects.tables import write_objects
from idr_assets.imaging.planes import evenly_spread
from idr_assets.imaging.published.attributes import Look
from idr_assets.imaging.published.crate import About, write_crate
from idr_assets.imaging.published.creation import create_published
from idr_assets.imaging.published.layout import Layout
from idr_assets.imaging.published.publication import Publication
from idr_assets.imaging.published.slabs import SlabTask
from idr_assets.imaging.published.staging import STAGING
from idr_assets.imaging.published.succession import choose_address, succeed
from idr_assets.imaging.published.tables import name_tables, note_columns, table_url, write_counts
from idr_assets.imaging.published.turns import take_turn
from idr_assets.orchestration.assets.metadata import describe_channels, picture
from idr_assets.orchestration.assets.progress import log_progress
from idr_assets.orchestration.assets.work.partition_report import report_partitions
from idr_assets.orchestration.assets.work.published_contrast import find_contrast
from idr_assets.orchestration.cluster.resource import DaskResource
from idr_assets.orchestration.image import Image

MOST_PICTURED = 3
"""Timepoints of a run with a picture at most: events must stay small."""


def publish(
    context: dg.AssetExecutionContext, images: Sequence[Image], dask: DaskResource
) -> dg.MaterializeResult[None]:
    """Publish the timepoints of the run whose planes have changed, and report all of them.

    Runs publish an image one after the other.

    Raises
    ------
    dagster.Failure
        If timepoints cannot be published, with the reason for each. The others count as materialized.
    """
    image, timepoints = images[0], [*map(int, context.partition_keys)]
    with take_turn(image.published_url) as keep_turn:
        publication, task = _prepare(context, images, keep_turn)
        total = sum(len(slab) for t in timepoints for slab in task.layout.slabs(t))
        with dask.client() as client:
            context.log.info("dask dashboard: %s", client.dashboard_link)
            for _ in log_progress(publication.publish(client, timepoints), total, context.log.info):
                pass
        keep_turn()
        done = [t for t in timepoints if t not in publication.failures]
        for objects, _ in name_tables(task.names).values():
            note_columns(task.url, objects, done, anew={*image.window.t} == {*done})
        context.log.info("%s", _summarize(len(publication.written), len(done)))
        about, levels = About(image.name, image.license, image.citation), [it.path for it in task.layout.levels]
        write_crate(task.url, about, task.names, levels)
        url = task.url
        if url != image.published_url:
            url = succeed(image.published_url, url, image.window.t, context.log.warning)
    metadata = {image.row_key(t): _describe(url, image, publication, t) for t in done}
    for t in evenly_spread(done, MOST_PICTURED):
        metadata[image.row_key(t)] |= _picture(image, t)
    reasons = {f"t {t}": each[0].reason for t, each in sorted(publication.failures.items())}
    return report_partitions(context, metadata, reasons, "timepoints published")


def _summarize(written: int, done: int) -> str:
    """Say how many timepoints were written, and how many were as published before."""
    same = f" Unchanged since they were published: {done - written}; their pixels and labels were not written again."
    return f"Timepoints written: {written}.{same if done > written else ''}"


def _prepare(
    context: dg.AssetExecutionContext, images: Sequence[Image], keep_turn: Callable[[], None]
) -> tuple[Publication, SlabTask]:
    image, outputs = images[0], [it.open_output() for it in images]
    window, plane = replace(image.window, c=read_channels(images)), (image.shape[3], image.shape[4])
    layout = Layout(window, image.published_extent or window, plane, outputs[0].pixels.dtype)
    url = choose_address(image.published_url, image.next_published_url, layout)
    labelled = {output.name: it.channels for output, it in zip(outputs, images, strict=True)}
    task = SlabTask(url, image.labels_url, labelled, layout, f"{url}/{STAGING}/{context.run.run_id}")
    geometry = image.geometry
    look = Look(image.name, describe_channels(image, geometry.channels), find_contrast(task, outputs))
    create_published(task, geometry, look)
    channels = {c: channel.name for c, channel in look.channels.items()}

    def write_tables(t: int, url: str) -> None:
        for it, output in zip(images, outputs, strict=True):
            names, area = name_tables(task.names)[output.name], geometry.pixel_area
            (objects, counts), (known, _) = ([table_url(at, name, t) for name in names] for at in (url, task.url))
            copied = known, it.objects_urls[t]
            write_objects(objects, output, it.timepoint(t), it.name, area, look.channels, it.measured, copied)
            write_counts(counts, objects, channels)

    return Publication(task, outputs, write_tables, context.run.run_id, keep_turn), task


def read_channels(images: Sequence[Image]) -> tuple[int, ...]:
    """Return the channels whose pixels are stored, by any of the segmentations."""
    return tuple(sorted({c for image in images for c in image.read_channels}))


def _picture(image: Image, t: int) -> dict[str, Any]:
    """Show the plane in the middle of a timepoint with the outlines of its labels; nothing if it is not stored."""
    (plane,) = image.timepoint(t).middle.planes()
    with suppress(ImageError):
        if read := image.open_output().read(plane):
            return {f"outlines, {plane}": picture(outlines_png(read))}
    return {}


def _describe(url: str, image: Image, publication: Publication, t: int) -> dict[str, Any]:
    record = publication.records[t]
    missing = {
        name: sum(last - first + 1 for ranges in of.values() for first, last in ranges)
        for name, of in record["missing"].items()
    }
    listed = "\n".join(
        f"{name}, c {c}: z {name_ranges(ranges)}" for name, of in record["missing"].items() for c, ranges in of.items()
    )
    shards, size = record["shards"]
    return {
        "path": dg.MetadataValue.path(url),
        "open it by": f"idr-assets show {image.name}",
        "planes": len(image.timepoint(t)),
        "planes not materialized": max(missing.values(), default=0),
        **({"missing planes": listed} if listed else {}),
        "shards": shards,
        "megabytes": round(size / 1e6, 3),
        "published in this run": t in publication.written,
    }
