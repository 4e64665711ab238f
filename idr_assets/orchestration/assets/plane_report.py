"""What a run tells Dagster of its planes: metadata for each that is done, checks, a failure that lists the others."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import dagster as dg

from idr_assets.imaging.figures.pictures import SMALL_PICTURE_BYTES, outlines_png
from idr_assets.imaging.output.output_image import OutputImage
from idr_assets.imaging.planes import evenly_spread
from idr_assets.imaging.segmentation.plane_results import PlaneFailure, PlaneSummary, Result
from idr_assets.orchestration.assets.metadata import picture
from idr_assets.orchestration.assets.plane_checks import evaluated
from idr_assets.orchestration.image import Image
from idr_assets.orchestration.partitions import partition_key
from idr_assets.orchestration.versions import version_tags

if TYPE_CHECKING:
    from idr_assets.imaging.segmentation.remarks import Remark
    from idr_assets.imaging.segmentation.run import SegmentationRun  # dask, for the run only

type Metadata = dict[str, Any]

MOST_PICTURED = 3
"""Partitions of a run with pictures at most: thousands would make the event log as large as the labels."""

UNTOLD = ("plane", "checksum", "origin", "reused", "compared")
"""Fields of a summary that are no measures."""


def report(
    context: dg.AssetExecutionContext, image: Image, run: "SegmentationRun", found: Sequence[Result]
) -> Iterator[dg.AssetCheckResult | dg.MaterializeResult[None]]:
    """Attach metadata to each partition and evaluate the checks; when planes failed, fail the run after that.

    Raises `dagster.Failure` with each reason and the planes that failed for it; exactly the other partitions count as
    materialized.
    """
    from idr_assets.orchestration.event_log import add_partition_metadata, add_to_kept_status  # noqa: PLC0415

    summaries, _ = _by_partition(image, found)
    pictures = {key: _pictures(run.output, summaries[key]) for key in evenly_spread(sorted(summaries), MOST_PICTURED)}
    found = run.confirm(found)  # after the pictures, which are of what is stored too
    summaries, failures = _by_partition(image, found)
    lineage = {key: json.dumps(value) for key, value in run.provenance.to_json().items()}
    metadata = {key: _metadata(planes) | lineage | pictures.get(key, {}) for key, planes in summaries.items()}
    checks = evaluated(image, found)
    if failures:  # checks come after the materializations that they tell of, and before the failure ends the step
        tags = version_tags(context.instance, image)
        for key, values in metadata.items():
            context.log_event(dg.AssetMaterialization(context.asset_key, partition=key, metadata=values, tags=tags))
        yield from checks
        add_to_kept_status(context)
        raise _failure(image.name, len(metadata), failures)
    add_partition_metadata(context, metadata)
    yield dg.MaterializeResult(check_results=checks)
    add_to_kept_status(context)


def log_remarks(context: dg.AssetExecutionContext, remarks: Iterable["Remark"]) -> None:
    """Write the remarks of a run into its log."""
    for remark in remarks:
        context.log.log(remark.level, remark.text)


def _by_partition(
    image: Image, found: Iterable[PlaneSummary | PlaneFailure]
) -> tuple[dict[str, list[PlaneSummary]], list[PlaneFailure]]:
    """Group the planes by partition; a partition with a failed channel is left out."""
    summaries: dict[str, list[PlaneSummary]] = defaultdict(list)
    failures = []
    for result in found:
        if isinstance(result, PlaneFailure):
            failures.append(result)
        else:
            summaries[partition_key(image, result.plane)].append(result)
    for failure in failures:
        summaries.pop(partition_key(image, failure.plane), None)
    return summaries, failures


def _metadata(planes: list[PlaneSummary]) -> Metadata:
    """Name the measures; where a partition holds several channels, the channel stands behind each name."""
    metadata: Metadata = {}
    for summary in sorted(planes, key=lambda summary: summary.plane):
        channel = f" (c {summary.plane.c})" if len(planes) > 1 else ""
        measures = {name: value for name, value in asdict(summary).items() if name not in UNTOLD and value is not None}
        metadata |= {f"{name}{channel}": _rounded(value) for name, value in measures.items()}
    return metadata


def _rounded(value: float) -> float:
    return value if isinstance(value, int) else float(f"{value:.6g}")


def _pictures(output: OutputImage, planes: Iterable[PlaneSummary]) -> Metadata:
    read = [(summary.plane, output.read(summary.plane)) for summary in planes]
    most = SMALL_PICTURE_BYTES // len(read)  # of a partition's metadata, which Dagster keeps in one event
    return {f"outlines, {plane}": picture(outlines_png(labelled, most)) for plane, labelled in read if labelled}


def _failure(name: str, done: int, failures: list[PlaneFailure]) -> dg.Failure:
    planes: dict[str, list[str]] = defaultdict(list)
    for failure in sorted(failures, key=lambda failure: failure.plane):
        planes[failure.reason].append(str(failure.plane))
    listed = "\n".join(_reason(*named, reason=reason) for reason, named in planes.items())
    message = (
        f"Planes that failed: {len(failures)}. Partitions that are done: {done}. Mend what needs it, then materialize "
        f"missing and failed partitions again (`idr-assets resume {name}`); until then, what an earlier run stored of "
        f"them stays.\n{listed}"
    )
    return dg.Failure(message, metadata={"failed planes": len(failures)}, allow_retries=False)


def _reason(plane: str, *others: str, reason: str) -> str:
    """Tell the reason before the other planes: there may be thousands."""
    behind = f"\n  and for the same reason: {'; '.join(others)}" if others else ""
    return f"{plane}: {reason}{behind}"
