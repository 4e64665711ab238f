"""Runs of planes here and there: what their tags say, and what Dagster counts while they work and after."""

from collections.abc import Iterator
from pathlib import Path
from random import Random

import dagster as dg
import pytest

from idr_assets.orchestration.automation.missing import IN_PROGRESS, missing_planes, plan_runs
from idr_assets.orchestration.scattered import LONGEST, read_scattered, scatter_tags
from idr_assets_tests.support.dagster_home import project_instance
from idr_assets_tests.support.small_image import Segmented, small_image, write_project

DIAGONAL = {(1, 9), (2, 10)}


@pytest.fixture
def batched(tmp_path: Path) -> Iterator[Segmented]:
    """Give a project with an instance that has the project's settings."""
    with project_instance(tmp_path / "home") as instance:
        yield Segmented(write_project(tmp_path / "scattered"), instance)


def make(segmented: Segmented, cells: set[tuple[int, int]], **more: str) -> bool:
    (tags,) = plan_runs(segmented.instance, small_image(), cells)
    job = segmented.definitions.resolve_implicit_global_asset_job_def()
    selection = [segmented.project.key("plane_labels")]
    result = job.execute_in_process(
        instance=segmented.instance, asset_selection=selection, tags=tags | more, raise_on_error=False
    )
    return result.success


@pytest.mark.parametrize(
    ("t", "z", "share"),
    [(range(3, 55), range(7, 26), 0.06), (range(100), range(1000), 0.01), (range(9, 10), range(3), 0.5)],
)
def test_the_tags_of_a_run_name_its_planes_in_few_characters(t: range, z: range, share: float) -> None:
    every = [(row, column) for row in t for column in z]
    some = frozenset(Random(0).sample(every, max(1, int(share * len(every)))))  # noqa: S311
    tags = scatter_tags(some, t, z)
    assert read_scattered(tags | {"other": "tag"}) == some
    assert len(tags) <= 2
    assert all(len(text) <= LONGEST for text in tags.values())
    assert scatter_tags(every, t, z) == {}
    assert read_scattered({"other": "tag"}) is None


def test_tags_that_are_cut_into_many_are_read_in_their_order() -> None:
    every = [(row, column) for row in range(200) for column in range(2600)]
    some = frozenset(Random(1).sample(every, 200_000))  # noqa: S311
    tags = scatter_tags(some, range(200), range(2600))
    assert len(tags) > 20
    assert read_scattered(dict(sorted(tags.items(), reverse=True))) == some


def test_planes_between_those_of_a_run_are_neither_in_progress_nor_failed(batched: Segmented) -> None:
    image, between = small_image(), {(1, 10), (2, 9)}
    (tags,) = plan_runs(batched.instance, image, DIAGONAL)
    job = batched.definitions.resolve_job_def("segment_image")
    run = batched.instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED, tags=tags)
    assert missing_planes(batched.instance, image, [IN_PROGRESS]) == DIAGONAL
    assert missing_planes(batched.instance, image) == between
    batched.instance.report_run_failed(run)
    assert missing_planes(batched.instance, image, ["FAILED"]) == DIAGONAL
    assert missing_planes(batched.instance, image, [None]) == between


def test_a_run_makes_its_planes_alone_and_its_retry_what_failed_of_them(batched: Segmented) -> None:
    chunk = batched.project.root / "data/source.zarr/0/2/1/10/0/0"
    pixels = chunk.read_bytes()
    chunk.unlink()
    assert not make(batched, DIAGONAL)
    assert batched.materialized() == {"1|09"}
    (failed,) = batched.instance.get_runs()
    chunk.write_bytes(pixels)
    assert make(batched, DIAGONAL, **{"dagster/parent_run_id": failed.run_id, "dagster/retry_number": "1"})
    assert batched.materialized() == {"1|09", "2|10"}
    assert batched.numbers("plane_labels", "planes_stored")["planes checked"] == 4
    (again,) = batched.instance.get_runs(limit=1)
    lines = [entry.user_message for entry in batched.instance.all_logs(again.run_id)]
    assert "This run makes 2 of the 4 partitions of its range." in lines
    assert any(line.startswith("2 of 2 planes done") for line in lines)


def test_tags_of_another_range_are_refused(batched: Segmented) -> None:
    assert not make(batched, DIAGONAL, **{"dagster/asset_partition_range_end": "1|10"})
    assert batched.materialized() == set()
