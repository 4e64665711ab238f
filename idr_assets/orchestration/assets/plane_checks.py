"""The checks of `<image>/plane_labels`: what a run's planes must be, and what a person should look at.

They are evaluated in the step that segments, for the planes of its run. What is judged, and how, stands in
`imaging.output.read_back` and `imaging.segmentation.plane_quality`.
"""

from functools import partial

import dagster as dg

from idr_assets.imaging.segmentation.findings import Findings
from idr_assets.imaging.segmentation.independence import DEPENDENT
from idr_assets.imaging.segmentation.plane_quality import expect_objects, is_far
from idr_assets.orchestration.assets.metadata import list_names
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
    return [*(specs if image.has_neighbours else specs[:2]), *([independent] if _takes_stacks(image) else [])]


def evaluate_checks(image: Image, found: Findings) -> list[dg.AssetCheckResult]:
    """Evaluate every check for what was found in the planes of a run."""
    checks = [_check_stored(image, found), _check_usable(image, found)]
    checks += [_check_counts(image, found)] if image.has_neighbours else []
    return [*checks, _check_independence(found)] if _takes_stacks(image) else checks


def _takes_stacks(image: Image) -> bool:
    return image.recipe.works_on.unit == "stack"


def _check_independence(found: Findings) -> dg.AssetCheckResult:
    reasons = {failure.reason for failure in found.failures if failure.dependent}
    wrong = sorted(reasons - {DEPENDENT})  # a plane of each block
    return dg.AssetCheckResult(
        check_name=INDEPENDENT, passed=not wrong, metadata=_metadata(found.compared + len(wrong), wrong)
    )


def _check_stored(image: Image, found: Findings) -> dg.AssetCheckResult:
    failures = sorted((it for it in found.failures if it.written), key=lambda failure: failure.plane)
    wrong = [f"{image.name_plane(failure.plane)}: {failure.reason}" for failure in failures]
    numbers = {
        **_metadata(len(found.objects) + len(wrong), wrong),
        "planes not written": len(found.failures) - len(wrong),
        "objects": sum(found.objects.values()),
    }
    return dg.AssetCheckResult(
        check_name=STORED,
        passed=bool(found.objects) and not wrong,  # a run that stored nothing has not shown that it can
        metadata=numbers,
    )


def _check_usable(image: Image, found: Findings) -> dg.AssetCheckResult:
    wrong = [f"{image.name_plane(plane)}: {reason}" for plane, reason in sorted(found.unusable.items())]
    return dg.AssetCheckResult(
        check_name=USABLE, passed=not wrong, severity=WARN, metadata=_metadata(len(found.objects), wrong)
    )


def _check_counts(image: Image, found: Findings) -> dg.AssetCheckResult:
    from idr_assets.imaging.output.read_back import count_stored_objects  # noqa: PLC0415  zarr, for the run only

    objects = dict(sorted(found.objects.items()))
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
    return numbers | ({"wrong planes": list_names(wrong)} if wrong else {})
