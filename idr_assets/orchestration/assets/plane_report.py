"""What a run reports when its planes are made: checks, and a failure that lists the planes that failed."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import dagster as dg

from idr_assets.imaging.segmentation.plane_results import PlaneFailure, PlaneSummary
from idr_assets.orchestration.assets.plane_checks import evaluate_checks
from idr_assets.orchestration.assets.plane_events import PlaneEvents
from idr_assets.orchestration.image import Image

if TYPE_CHECKING:
    from idr_assets.imaging.segmentation.size_remarks import Remark


def report(
    context: dg.AssetExecutionContext,
    image: Image,
    planes: PlaneEvents,
    unevaluated: Sequence[PlaneSummary],
    *,
    stopped: bool,
) -> Iterator[dg.AssetCheckResult | dg.MaterializeResult[None]]:
    """Evaluate the checks of planes of which Dagster was told; if others failed, fail the run after that.

    The checks also judge the planes of killed runs, which are `unevaluated`.

    Raises
    ------
    dagster.Failure
        With each reason and the planes that failed for it.
    dagster.DagsterExecutionInterruptedError
        The run was `stopped`.

    """
    from idr_assets.orchestration.event_log import add_to_kept_status, withhold_events  # noqa: PLC0415

    failures = planes.found.failures
    own = {*planes.found.objects, *(failure.plane for failure in failures)}
    planes.found.add(it for it in unevaluated if it.plane not in own)
    checks = evaluate_checks(image, planes.found)
    if stopped:
        if failures:
            context.log.error(_describe(image, planes.done, failures))
        yield from checks if own else ()
        raise dg.DagsterExecutionInterruptedError
    if not failures and planes.done < planes.partitions:
        message = (
            f"{planes.done} of {planes.partitions} partitions were made, and nothing is known of the others. Make them "
            f"with `idr-assets resume {image.name}`."
        )
        raise dg.Failure(message)
    if failures:  # the checks tell of the materializations, and come before the failure, which ends the step
        yield from checks
    else:
        with withhold_events(context):
            yield dg.MaterializeResult(check_results=checks)
    add_to_kept_status(context)
    if failures:
        message = _describe(image, planes.done, failures)
        raise dg.Failure(message, metadata={"failed planes": len(failures)}, allow_retries=False)


def log_remarks(context: dg.AssetExecutionContext, remarks: Iterable["Remark"]) -> None:
    """Write the remarks of a run into its log."""
    for remark in remarks:
        context.log.log(remark.level, remark.text)


def _describe(image: Image, done: int, failures: list[PlaneFailure]) -> str:
    planes: dict[str, list[str]] = defaultdict(list)
    for failure in sorted(failures, key=lambda failure: failure.plane):
        planes[failure.reason].append(image.name_plane(failure.plane))
    listed = "\n".join(_reason(*named, reason=reason) for reason, named in planes.items())
    return (
        f"Planes that failed: {len(failures)}. Partitions that are done: {done}. Mend what needs it, then materialize "
        f"missing and failed partitions again (`idr-assets resume {image.name}`, which also draws the figures of those "
        f"that are done); until then, what an earlier run stored of them stays.\n{listed}"
    )


def _reason(plane: str, *others: str, reason: str) -> str:
    """Tell the reason before the other planes: there may be thousands."""
    behind = f"\n  and for the same reason: {'; '.join(others)}" if others else ""
    return f"{plane}: {reason}{behind}"
