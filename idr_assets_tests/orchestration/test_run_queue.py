"""The queue as the project's `dagster.yaml` sets it; `test_cancelled_backfill` lets runs wait in it."""

from pathlib import Path
from types import SimpleNamespace

import dagster as dg
import pytest
from dagster._core.storage.event_log import SqlEventLogStorage

from idr_assets.orchestration.run_queue import BoundedRunCoordinator
from idr_assets_tests.support.dagster_home import dagster_home
from idr_assets_tests.support.small_image import write_project


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
