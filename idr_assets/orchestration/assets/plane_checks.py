"""The checks of `<image>/plane_labels`: what a run's planes must be, and what a person should look at.

They are evaluated in the step that segments, for the planes of its run. What is judged, and how, stands in
`imaging.output.read_back` and `imaging.segmentation.plane_quality`.
"""

from collections.abc import Sequence
from functools import partial

import dagster as dg

from idr_assets.imaging.output.read_back import count_stored_objects
from idr_assets.imaging.segmentation.independence import DEPENDENT
from idr_assets.imaging.segmentation.plane_quality import expect_objects, find_fault, is_far
from idr_assets.imaging.segmentation.plane_results import PlaneFailure, PlaneSummary
from idr_assets.orchestration.assets.metadata import listed
from idr_assets.orchestration.image import Image

WARN = dg.AssetCheckSeverity.WARN
STORED, USABLE, COUNTS = "planes_stored", "source_planes_usable", "object_counts_like_neighbours"
INDEPENDENT = "planes_independent"


def check_specs(key: dg.AssetKey, image: Image) -> list[dg.AssetCheckSpec]:
    """Name the checks; those that block, when they fail, keep what is made from the planes from being made."""
    stored = "Every plane that the run wrote reads back from the output as it was written."
    usable = (
        "No plane of the image is blank, holds NaN or infinity, or is saturated in over 1 % of its pixels. A warning."
    )
    counts = "No plane of the run that has neighbours in t or z has far more or far fewer objects. A warning."
    alone = "A few planes of the run, segmented alone, have the same labels as in the stack of planes with others."
    specs = [
        dg.AssetCheckSpec(STORED, asset=key, description=stored, blocking=True),
        dg.AssetCheckSpec(USABLE, asset=key, description=usable),
        dg.AssetCheckSpec(COUNTS, asset=key, description=counts),
    ]
    independent = dg.AssetCheckSpec(INDEPENDENT, asset=key, description=alone, blocking=True)
    return [*specs, independent] if _takes_stacks(image) else specs


def evaluated(image: Image, found: Sequence[PlaneSummary | PlaneFailure]) -> list[dg.AssetCheckResult]:
    """Evaluate every check for what became of the planes of a run."""
    summaries = sorted((it for it in found if isinstance(it, PlaneSummary)), key=lambda summary: summary.plane)
    failures = sorted((it for it in found if isinstance(it, PlaneFailure)), key=lambda failure: failure.plane)
    checks = [_planes_stored(summaries, failures), _source_planes_usable(summaries), _object_counts(image, summaries)]
    return [*checks, _planes_independent(summaries, failures)] if _takes_stacks(image) else checks


def _takes_stacks(image: Image) -> bool:
    return image.recipe.works_on.unit == "stack"


def _planes_independent(summaries: list[PlaneSummary], failures: list[PlaneFailure]) -> dg.AssetCheckResult:
    wrong = sorted({failure.reason for failure in failures if failure.dependent} - {DEPENDENT})  # a plane of each block
    compared = sum(summary.compared for summary in summaries)
    return dg.AssetCheckResult(
        check_name=INDEPENDENT, passed=not wrong, metadata=_metadata(compared + len(wrong), wrong)
    )


def _planes_stored(summaries: list[PlaneSummary], failures: list[PlaneFailure]) -> dg.AssetCheckResult:
    wrong = [f"{failure.plane}: {failure.reason}" for failure in failures if failure.written]
    numbers = {
        **_metadata(len(summaries) + len(wrong), wrong),
        "planes not written": len(failures) - len(wrong),
        "objects": sum(summary.objects for summary in summaries),
    }
    return dg.AssetCheckResult(
        check_name=STORED,
        passed=bool(summaries) and not wrong,  # a run that stored nothing has not shown that it can
        metadata=numbers,
    )


def _source_planes_usable(summaries: list[PlaneSummary]) -> dg.AssetCheckResult:
    wrong = [f"{summary.plane}: {reason}" for summary in summaries if (reason := find_fault(summary))]
    return dg.AssetCheckResult(
        check_name=USABLE, passed=not wrong, severity=WARN, metadata=_metadata(len(summaries), wrong)
    )


def _object_counts(image: Image, summaries: list[PlaneSummary]) -> dg.AssetCheckResult:
    objects = {summary.plane: summary.objects for summary in summaries}
    expected = expect_objects(objects, partial(count_stored_objects, image.open_output()))
    wrong = [
        f"{plane}: {objects[plane]} objects, {wanted} expected"
        for plane, wanted in expected.items()
        if is_far(objects[plane], wanted)
    ]
    numbers = {**_metadata(len(expected), wrong), "planes without neighbours": len(objects) - len(expected)}
    return dg.AssetCheckResult(check_name=COUNTS, passed=not wrong, severity=WARN, metadata=numbers)


def _metadata(checked: int, wrong: list[str]) -> dict[str, int | str]:
    """Give the numbers of planes checked and wrong, and the first of the wrong ones by name."""
    numbers: dict[str, int | str] = {"planes checked": checked, "planes wrong": len(wrong)}
    return numbers | ({"wrong planes": listed(wrong)} if wrong else {})
