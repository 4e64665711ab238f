"""Which planes are still to be done; `test_rectangles` joins them."""

import dagster as dg

from idr_assets.imaging.planes import Block
from idr_assets.orchestration.automation.missing import IN_PROGRESS, missing_planes
from idr_assets.orchestration.partitions import range_tags, rectangles
from idr_assets_tests.support.small_image import PARTITIONS, Segmented, small_image

WINDOW = {(1, 9), (1, 10), (2, 9), (2, 10)}


def test_planes_are_missing_until_they_are_materialized_and_again_once_they_fail(fresh: Segmented) -> None:
    image = small_image()
    assert missing_planes(fresh.instance, image) == WINDOW
    assert fresh.run("plane_labels", *PARTITIONS[::3]) == ""
    assert missing_planes(fresh.instance, image) == set()
    (fresh.project.root / "data/source.zarr/0/2/0/9/0/0").unlink()
    assert "Planes that failed" in fresh.run("plane_labels", *PARTITIONS[::3])
    assert missing_planes(fresh.instance, image) == {(2, 9)}
    assert rectangles(image, {(2, 9)}) == [Block(range(2, 3), (0, 1), range(9, 10))]


def test_planes_of_a_run_that_did_not_end_are_told_apart(fresh: Segmented) -> None:
    image = small_image()
    job, tags = fresh.definitions.resolve_job_def("segment_image"), range_tags(image, Block(range(1, 2), (0,), image.z))
    fresh.instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED, tags=tags)
    assert missing_planes(fresh.instance, image) == {(2, 9), (2, 10)}
    assert missing_planes(fresh.instance, image, (IN_PROGRESS,)) == {(1, 9), (1, 10)}


def test_planes_of_a_run_that_is_deleted_are_missing(fresh: Segmented) -> None:
    image = small_image()
    assert fresh.run("plane_labels", *PARTITIONS[::3]) == ""
    assert fresh.run("plane_labels", *PARTITIONS[2:]) == ""
    assert missing_planes(fresh.instance, image) == set()
    last, first = fresh.instance.get_runs()
    fresh.instance.delete_run(first.run_id)
    assert missing_planes(fresh.instance, image) == {(1, 9), (1, 10)}
    fresh.instance.delete_run(last.run_id)
    assert missing_planes(fresh.instance, image) == WINDOW


def test_planes_of_a_run_that_is_deleted_while_it_makes_them_are_missing(fresh: Segmented) -> None:
    job, tags = fresh.definitions.resolve_job_def("segment_image"), range_tags(small_image(), small_image().window)
    run = fresh.instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED, tags=tags)
    assert missing_planes(fresh.instance, small_image(), (IN_PROGRESS,)) == WINDOW
    fresh.instance.delete_run(run.run_id)
    assert missing_planes(fresh.instance, small_image(), (IN_PROGRESS,)) == set()
    assert missing_planes(fresh.instance, small_image()) == WINDOW
