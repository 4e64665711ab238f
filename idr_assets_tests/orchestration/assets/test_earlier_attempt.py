"""A run that retries a failed one makes what is not done, and counts for all of it."""

import dagster as dg
import pytest

from idr_assets.imaging.output.writing import remove_labels
from idr_assets.project import find_image
from idr_assets_tests.support.small_image import FIELDS, PARTITIONS, RANGE, Segmented, change_image

CHUNK = "data/source.zarr/0/2/1/9/0/0"
"""The plane t 2 c 1 z 9."""


def run(segmented: Segmented, **tags: str) -> tuple[dg.DagsterRun, list[str]]:
    """Run the labels of the window; give the run, and the last line that says how many planes were made."""
    segmented.definitions.resolve_implicit_global_asset_job_def().execute_in_process(
        instance=segmented.instance,
        asset_selection=[segmented.project.key("plane_labels")],
        tags=dict(zip(RANGE, (PARTITIONS[0], PARTITIONS[-1]), strict=True)) | tags,
        raise_on_error=False,
    )
    (found,) = segmented.instance.get_runs(limit=1)
    lines = [entry.user_message for entry in segmented.instance.all_logs(found.run_id)]
    return found, [line.partition(",")[0] for line in lines if "planes done" in line][-1:]


def retry(segmented: Segmented, failed: dg.DagsterRun, tag: str = "dagster/is_resume_retry") -> list[str]:
    """Run them again as the UI's *From failure* and `run_retries` do."""
    again, lines = run(segmented, **{"dagster/parent_run_id": failed.run_id, tag: "true"})
    assert again.status == dg.DagsterRunStatus.SUCCESS
    return lines


@pytest.fixture
def failed(fresh: Segmented) -> dg.DagsterRun:
    """Give a run in which one plane failed for a reason that is gone."""
    chunk = fresh.project.root / CHUNK
    pixels = chunk.read_bytes()
    chunk.unlink()
    failed, lines = run(fresh)
    assert (failed.status, lines) == (dg.DagsterRunStatus.FAILURE, ["7 of 8 planes done"])
    chunk.write_bytes(pixels)
    return failed


def test_a_retry_makes_the_partition_that_failed_and_counts_for_all(fresh: Segmented, failed: dg.DagsterRun) -> None:
    before = fresh.metadata("plane_labels", "1|09")
    assert retry(fresh, failed) == ["2 of 2 planes done"]
    assert fresh.metadata("plane_labels", "1|09") == before
    assert fresh.materialized() == set(PARTITIONS)
    assert fresh.numbers("plane_labels", "planes_stored")["planes checked"] == 8
    run_id = fresh.instance.get_runs(limit=1)[0].run_id
    records = fresh.instance.fetch_materializations(fresh.project.key("plane_labels"), limit=4).records
    assert {record.run_id for record in records} == {run_id}


def test_what_is_not_as_the_failed_run_left_it_is_made_again(fresh: Segmented, failed: dg.DagsterRun) -> None:
    (image,) = find_image(fresh.definitions, "image")
    labels = fresh.project.root / "data/image.ome.zarr/labels/segmentation/0/c/1/0/9/0/0"
    labels.write_bytes(labels.read_bytes()[:-1] + b"?")
    remove_labels(image.open_output(), image.window.middle)  # t 2 z 10
    assert retry(fresh, failed) == ["6 of 6 planes done"]


def test_a_retry_after_another_recipe_or_image_makes_all(fresh: Segmented, failed: dg.DagsterRun) -> None:
    fresh.project.write(**FIELDS, segmentation="{parameters: {sigma: 2}}")
    assert retry(fresh, failed) == ["8 of 8 planes done"]
    fresh.project.write(**FIELDS)
    change_image(fresh)
    assert retry(fresh, failed) == ["8 of 8 planes done"]


def test_who_runs_all_again_gets_all(fresh: Segmented, failed: dg.DagsterRun) -> None:
    assert retry(fresh, failed, "dagster/other") == ["8 of 8 planes done"]
