"""Planes that are stored and unknown to the instance: adopted as a run tells of them, or left with a reason."""

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import dagster as dg
import pytest

from idr_assets.orchestration.assets.adoption import adopt_planes
from idr_assets.orchestration.assets.earlier_attempt import PARENT_TAG
from idr_assets.orchestration.assets.stored_planes import DAMAGED, OTHER_IMAGE, OTHER_RECIPE, UNPROVEN, UNSTORED
from idr_assets.orchestration.automation.missing import missing_planes, plan_runs, stale_planes
from idr_assets_tests.support.small_image import PARTITIONS, Segmented

CELLS = {(1, 9), (1, 10), (2, 9), (2, 10)}
LABELS = "image.ome.zarr/labels/segmentation"
POINTER = "dagster/input_event_pointer/image/source_image"
CHECKS = ["planes_stored", "source_planes_usable", "object_counts_like_neighbours"]


def flip(path: Path) -> None:
    body = bytearray(path.read_bytes())
    body[len(body) // 2] ^= 1
    path.write_bytes(body)


def records(data: Path) -> list[Path]:
    return list((data / LABELS).glob("provenance/*/*/zarr.json"))


DAMAGE: list[tuple[str, Callable[[Path], object]]] = [
    (DAMAGED, lambda data: flip(data / LABELS / "0/c/1/0/9/0/0")),
    (DAMAGED, lambda data: flip(data / "image.ome.zarr/0/c/1/1/9/0/0")),
    (DAMAGED, lambda data: shutil.copy(data / LABELS / "0/c/1/0/10/0/0", data / LABELS / "0/c/1/0/9/0/0")),
    (UNSTORED, lambda data: (data / LABELS / "0/c/1/0/9/0/0").unlink()),
    (UNSTORED, lambda data: (data / "image.ome.zarr/0/c/1/0/9/0/0").unlink()),
]


def test_adopted_planes_are_told_as_their_run_did(segmented: Segmented, moved: Segmented) -> None:
    image = moved.project.load_image()
    assert missing_planes(moved.instance, image) == CELLS
    found = adopt_planes(moved.instance, image, CELLS)
    assert (found.adopted, dict(found.others)) == (CELLS, {})
    assert missing_planes(moved.instance, image) == stale_planes(moved.instance, image) == set()
    other = replace(image, recipe=replace(image.recipe, parameters={"sigma": 2.0}))
    assert stale_planes(moved.instance, other) == CELLS
    theirs, ours = (told(it, PARTITIONS[1]) for it in (segmented, moved))
    assert {**(theirs.tags or {}), POINTER: ""} == {**(ours.tags or {}), POINTER: ""}
    kept = {name: value for name, value in theirs.metadata.items() if not name.startswith("seconds")}
    assert {name: value for name, value in ours.metadata.items() if name != "adopted"} == kept
    assert [moved.numbers("plane_labels", name) for name in CHECKS] == [
        segmented.numbers("plane_labels", name) for name in CHECKS
    ]
    assert moved.check("plane_labels", "planes_independent") is None


@pytest.mark.parametrize(("why", "damage"), DAMAGE)
def test_a_plane_that_is_not_what_its_record_tells_of_is_not_adopted(
    why: str, damage: Callable[[Path], object], moved: Segmented
) -> None:
    damage(Path(os.environ["IDR_ASSETS_DATA"]))
    found = adopt_planes(moved.instance, moved.project.load_image(), CELLS)
    assert (found.adopted, found.others) == (CELLS - {(1, 9)}, {why: {(1, 9)}})
    assert moved.materialized() == set(PARTITIONS[1:])


@pytest.mark.parametrize("content", ["", "[]", '{"attributes": {"idr_assets": {"indices": [[1, 0, 9]]}}}', None])
def test_planes_without_a_record_are_not_adopted(content: str | None, moved: Segmented) -> None:
    for record in records(Path(os.environ["IDR_ASSETS_DATA"])):
        record.unlink() if content is None else record.write_text(content)
    assert adopt_planes(moved.instance, moved.project.load_image(), CELLS).others == {UNPROVEN: CELLS}


def test_planes_of_another_recipe_or_image_are_not_adopted(moved: Segmented) -> None:
    image = moved.project.load_image()
    other = replace(image, recipe=replace(image.recipe, parameters={"sigma": 2.0}))
    assert adopt_planes(moved.instance, other, CELLS).others == {OTHER_RECIPE: CELLS}
    document = Path(os.environ["IDR_ASSETS_DATA"], "source.zarr/0/.zarray")
    os.utime(document, (1, 1))
    assert adopt_planes(moved.instance, image, CELLS).others == {OTHER_IMAGE: CELLS}
    assert moved.materialized() == set()


@pytest.mark.parametrize("repeated", [False, True])
def test_a_run_of_what_is_missing_takes_over_what_is_proven(moved: Segmented, *, repeated: bool) -> None:
    flip(Path(os.environ["IDR_ASSETS_DATA"]) / LABELS / "0/c/1/0/9/0/0")
    killed = Path(os.environ["IDR_ASSETS_DATA"]) / LABELS / "0/c/2/0/9/0/0.0123.partial"
    killed.touch()
    image = moved.project.load_image()
    (tags,) = plan_runs(moved.instance, image, CELLS)
    result = moved.definitions.resolve_implicit_global_asset_job_def().execute_in_process(
        instance=moved.instance,
        asset_selection=[moved.project.key("plane_labels")],
        tags=tags | ({PARENT_TAG: str(uuid4())} if repeated else {}),
    )
    assert missing_planes(moved.instance, image) == set()
    assert not killed.exists()
    adopted = {key for key in PARTITIONS if "adopted" in told(moved, key).metadata}
    assert adopted == (set() if repeated else {*PARTITIONS[1:]})
    assert moved.numbers("plane_labels", "planes_stored")["passed"]
    every = moved.instance.fetch_materializations(moved.project.key("plane_labels"), limit=9).records
    assert {it.run_id for it in every} == {result.run_id}


def told(segmented: Segmented, partition: str) -> dg.AssetMaterialization:
    """Give what Dagster was told of a partition last."""
    wanted = dg.AssetRecordsFilter(segmented.project.key("plane_labels"), asset_partitions=[partition])
    (record,) = segmented.instance.fetch_materializations(wanted, limit=1).records
    assert record.asset_materialization
    return record.asset_materialization
