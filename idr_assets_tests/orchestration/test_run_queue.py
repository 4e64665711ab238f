"""The queue as the project's `dagster.yaml` sets it; `test_cancelled_backfill` lets runs wait in it."""

from pathlib import Path
from types import SimpleNamespace

import dagster as dg

from idr_assets.orchestration.run_queue import BoundedRunCoordinator
from idr_assets_tests.support.dagster_home import dagster_home
from idr_assets_tests.support.small_image import write_project


def test_a_pool_is_limited_before_its_first_run_leaves_the_queue(tmp_path: Path) -> None:
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
