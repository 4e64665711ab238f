"""What Dagster keeps of the planes of a partition: their measures, and the checksum of what was stored."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any

import dagster as dg

from idr_assets.imaging.figures.pictures import PICTURE_SIDE, SMALL_PICTURE_BYTES, outlines_png
from idr_assets.imaging.output.output_image import OutputImage
from idr_assets.imaging.output.provenance import Provenance
from idr_assets.imaging.planes import Plane
from idr_assets.imaging.segmentation.plane_results import OF_A_RUN, PlaneFailure, PlaneSummary
from idr_assets.orchestration.assets.metadata import picture
from idr_assets.orchestration.image import Image
from idr_assets.orchestration.partitions import axis_tags, partition_key

UNTOLD = {*OF_A_RUN} - {"seconds"}
"""Fields of a summary that are not kept."""

MOST_PICTURED = 3
"""Partitions of a run with pictures at most: thousands would make the event log as large as the labels."""

KEPT = [field.name for field in fields(PlaneSummary) if field.name not in UNTOLD]


def make_materialization(
    image: Image,
    summaries: Sequence[PlaneSummary],
    made: Provenance,
    tags: Mapping[str, str],
    more: dict[str, Any],
) -> dg.AssetMaterialization:
    """Return what tells Dagster of the planes of a partition, of all channels, and how they were made."""
    key, lineage = partition_key(image, summaries[0].plane), made.to_json()
    metadata = write_summaries(summaries) | {name: json.dumps(value) for name, value in lineage.items()} | more
    asset = dg.AssetKey(image.key("plane_labels"))
    return dg.AssetMaterialization(asset, metadata=metadata, partition=key, tags={**tags, **axis_tags(image, key)})


def write_summaries(planes: Sequence[PlaneSummary]) -> dict[str, Any]:
    """Return the metadata of a partition; if it holds several channels, the channel follows each name."""
    metadata: dict[str, Any] = {}
    for summary in sorted(planes, key=lambda summary: summary.plane):
        channel, values = _channel(summary.plane, len(planes)), {name: getattr(summary, name) for name in KEPT}
        metadata |= {f"{name}{channel}": _round(value) for name, value in values.items() if value is not None}
    return metadata


def read_summaries(metadata: Mapping[str, dg.MetadataValue], planes: Sequence[Plane]) -> list[PlaneSummary]:
    """Return the summaries of the planes of a partition, those of all of its channels, from its metadata.

    Raises `TypeError` if the metadata are of an earlier version, which kept no checksum.
    """
    summaries = []
    for plane in planes:
        channel = _channel(plane, len(planes))
        values = {name: metadata[f"{name}{channel}"].value for name in KEPT if f"{name}{channel}" in metadata}
        optional: dict[str, Any] = {"threshold": None, "saturated": None, "seconds": None}
        summaries.append(PlaneSummary(plane, **optional | values))
    return summaries


def draw_outlines(
    output: OutputImage, found: Iterable[PlaneSummary | PlaneFailure], name: Callable[[Plane], str] = str
) -> dict[str, Any]:
    """Draw the outlines of the stored planes of a partition, small enough for one event of Dagster."""
    stored = [result.plane for result in found if isinstance(result, PlaneSummary)]
    shown = [(it, plane.c) for plane in stored for it in output.pixel_block(plane.block).planes()]
    read = [(plane, output.read(plane, labels_of, output.thinned(PICTURE_SIDE))) for plane, labels_of in shown]
    most = SMALL_PICTURE_BYTES // max(1, len(read))
    return {f"outlines, {name(plane)}": picture(outlines_png(labelled, most)) for plane, labelled in read if labelled}


def _channel(plane: Plane, planes: int) -> str:
    return f" (c {plane.c})" if planes > 1 else ""


def _round(value: Any) -> Any:  # noqa: ANN401  a number or a text
    return float(f"{value:.6g}") if isinstance(value, float) else value
