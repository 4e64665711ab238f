"""The queue as the project's `dagster.yaml` sets it; `test_cancelled_backfill` lets runs wait in it."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dagster as dg
import pytest
from dagster._core.execution import job_backfill
from dagster._core.storage.event_log import SqlEventLogStorage

from idr_assets.orchestration.run_queue import BoundedRunCoordinator
from idr_assets_tests.support.dagster_home import dagster_home
from idr_assets_tests.support.small_image import RANGE, write_project


def test_a_pool_is_limited_before_its_first_run_leaves_the_queue(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    job = write_project(tmp_path / "project").load().resolve_job_def("segment_image")
    with dagster_home(tmp_path) as home:
        instance = home.instance
        storage, queue = instance.event_log_storage, instance.run_coordinator
        assert isinstance(queue, BoundedRunCoordinator)
        # A run that is under way is not put into the queue again: that would want a code server.
        run = instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED)
        assert storage.get_pool_limits() == []
        for limit in (2, 5):
            queue.submit_run(SimpleNamespace(dagster_run=run))
            assert {pool.name: pool.limit for pool in storage.get_pool_limits()} == {"local": limit}
            storage.set_concurrency_slots("local", 5)
        monkeypatch.delattr(SqlEventLogStorage, "get_pool_limits")  # as a release may do
        assert queue.submit_run(SimpleNamespace(dagster_run=run)).run_id == run.run_id
        assert "may exceed the pool's limit" in caplog.text


def test_the_last_run_of_a_range_is_found_for_a_backfill_from_failure(tmp_path: Path) -> None:
    job = write_project(tmp_path / "project").load().resolve_job_def("segment_image")
    partitions = dg.PartitionKeyRange("1|09", "2|09")
    set_: Any = SimpleNamespace(job_name=job.name, name="its_set")
    with dagster_home(tmp_path) as home:
        assert isinstance(home.instance.run_coordinator, BoundedRunCoordinator)
        tags = dict(zip(RANGE, ("1|09", "2|09"), strict=True)) | {"dagster/partition_set": "its_set"}
        run = home.instance.create_run_for_job(job, tags=tags)
        home.instance.create_run_for_job(job, tags=tags | {RANGE[1]: "2|10"})
        found = job_backfill._fetch_last_run(home.instance, set_, partitions)  # noqa: SLF001
        assert found
        assert found.run_id == run.run_id
