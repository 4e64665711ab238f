"""What earlier runs have made: for the run that retries a failed one, and for checks that a killed run left open."""

from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

import dagster as dg

from idr_assets.imaging.output.output_image import OutputImage
from idr_assets.imaging.output.read_back import read_checksums
from idr_assets.imaging.planes import Plane
from idr_assets.imaging.segmentation.plane_results import PlaneSummary
from idr_assets.orchestration.assets.plane_checks import STORED
from idr_assets.orchestration.assets.plane_metadata import read_summaries
from idr_assets.orchestration.dead_runs import fail_dead_runs
from idr_assets.orchestration.image import Image
from idr_assets.orchestration.partitions import partition_key, planes_of
from idr_assets.orchestration.rectangles import Cell
from idr_assets.orchestration.scattered import TAKES_OVER
from idr_assets.orchestration.versions import is_stale, version_tags

PARENT_TAG = "dagster/parent_run_id"
"""Tag with the run that a run repeats."""

RETRY_TAGS = ("dagster/is_resume_retry", "dagster/retry_number")
"""Tags of a run that starts again from a failure, and of one that the daemon started because another failed."""


MOST_RECORDS = 1000
"""Records of partitions that are looked at, the last ones."""


@dataclass
class EarlierAttempt:
    """Partitions that need not be made again.

    Attributes
    ----------
    events : list of AssetMaterialization
        What the failed run told of each.
    summaries : list of PlaneSummary
        What it found in their planes.
    cells : set of (t, z)
        The partitions.

    """

    events: list[dg.AssetMaterialization] = field(default_factory=list)
    summaries: list[PlaneSummary] = field(default_factory=list)
    cells: set[Cell] = field(default_factory=set)


def read_earlier_attempt(
    context: dg.AssetExecutionContext, image: Image, cells: Collection[Cell], output: OutputImage
) -> EarlierAttempt:
    """Find the wanted (t, z) that the failed run made of which this one is a retry; none if it is no retry.

    They must be of the recipe and of the image as these are now, and the output must hold what the run stored.
    """
    attempt = EarlierAttempt()
    if not _is_retry(context.run):
        return attempt
    told = _read_told(context, version_tags(context.instance, image))
    for cell in cells:
        event = told.get(partition_key(image, Plane(cell[0], 0, cell[1])))
        summaries = read_stored(output, image, event) if event else []
        if event and summaries:
            attempt.events.append(event)
            attempt.summaries += summaries
            attempt.cells.add(cell)
    return attempt


def read_unevaluated(context: dg.AssetExecutionContext, image: Image, output: OutputImage) -> list[PlaneSummary]:
    """Read the summaries of planes that runs told which could not evaluate the checks, if they are still stored so."""
    from idr_assets.orchestration.event_log import find_unevaluated, read_told_partitions  # noqa: PLC0415

    fail_dead_runs(context.instance)
    found: dict[Plane, PlaneSummary] = {}
    for run_id in find_unevaluated(context.instance, dg.AssetCheckKey(context.asset_key, STORED)):
        for event in read_told_partitions(context.instance, run_id, context.asset_key):
            found |= {summary.plane: summary for summary in read_stored(output, image, event)}
    return [*found.values()]


def forget_lost(context: dg.AssetExecutionContext, image: Image, output: OutputImage, keys: Collection[str]) -> None:
    """Forget what Dagster was told of partitions by any run, where the output does not hold that any more."""
    wanted = dg.AssetRecordsFilter(asset_key=context.asset_key, asset_partitions=[*keys])
    told = context.instance.fetch_materializations(wanted, limit=MOST_RECORDS).records if keys else []
    last = {str(it.partition_key): it.asset_materialization for it in reversed(told) if it.asset_materialization}
    lost = [key for key, event in last.items() if not read_stored(output, image, event)]
    if lost:
        with suppress(NotImplementedError):  # an event log that cannot forget single partitions
            context.instance.wipe_asset_partitions(context.asset_key, lost)


def read_stored(output: OutputImage, image: Image, event: dg.AssetMaterialization) -> list[PlaneSummary]:
    """Return the summaries of a partition's planes if the output holds just what an event told of them, else none."""
    planes = planes_of(image, str(event.partition))
    try:
        summaries = read_summaries(event.metadata, planes)
    except TypeError:  # of an earlier version, which kept no checksum
        return []
    kept = [summary.checksum for summary in summaries]
    return summaries if None not in kept and kept == read_checksums(output, planes) else []


def takes_over(run: dg.DagsterRun) -> bool:
    """Return whether a run makes only what is not stored yet; one that repeats all of another run does not."""
    return run.tags.keys() >= TAKES_OVER.keys() and (PARENT_TAG not in run.tags or _is_retry(run))


def _is_retry(run: dg.DagsterRun) -> bool:
    return PARENT_TAG in run.tags and not run.tags.keys().isdisjoint(RETRY_TAGS)


def _read_told(context: dg.AssetExecutionContext, wanted: Mapping[str, str]) -> dict[str, dg.AssetMaterialization]:
    from idr_assets.orchestration.event_log import read_told_partitions  # noqa: PLC0415

    events = read_told_partitions(context.instance, context.run.tags[PARENT_TAG], context.asset_key)
    return {str(event.partition): event for event in events if not is_stale(event.tags or {}, wanted)}
