"""Which planes are still to be done, and the rectangles that ask for them."""

import dagster as dg
from hypothesis import given
from hypothesis import strategies as st

from idr_assets.imaging.planes import Block
from idr_assets.orchestration.automation.missing import IN_PROGRESS, missing_planes, rectangles
from idr_assets.orchestration.partitions import range_tags
from idr_assets_tests.support.small_image import PARTITIONS, Segmented, small_image

CELLS = st.sets(st.tuples(st.integers(0, 6), st.integers(0, 6)))
WINDOW = {(1, 9), (1, 10), (2, 9), (2, 10)}


def boxes(*cells: tuple[int, int]) -> list[tuple[range, range]]:
    return [(block.t, block.z) for block in rectangles(small_image(), cells)]


@given(CELLS)
def test_rectangles_hold_each_plane_once_and_no_other(cells: set[tuple[int, int]]) -> None:
    blocks = rectangles(small_image(), cells)
    found = [(plane.t, plane.z) for block in blocks for plane in block.planes() if plane.c == 0]
    assert len(found) == len(set(found))
    assert set(found) == cells
    assert all(block.c == (0, 1) for block in blocks)


def test_few_rectangles_are_needed() -> None:
    assert boxes() == []
    assert boxes(*WINDOW) == [(range(1, 3), range(9, 11))]
    assert boxes((1, 9), (1, 10), (1, 12)) == [(range(1, 2), range(9, 11)), (range(1, 2), range(12, 13))]
    assert boxes((1, 9), (2, 9), (3, 9), (2, 10)) == [(range(1, 4), range(9, 10)), (range(2, 3), range(10, 11))]
    hole = {(t, z) for t in range(5) for z in range(5)} - {(2, 2)}
    assert len(boxes(*hole)) == 4


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
