"""Runs of commands that are told to stop while Dagster is at work, and runs of images that are gone."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.events import EngineEventData
from dagster._utils.error import serializable_error_info_from_exc_info

from idr_assets.orchestration.event_log.run_ends import GONE
from idr_assets_tests.support.dagster_home import project_instance
from idr_assets_tests.support.small_image import PARTITIONS, Segmented, write_project


@pytest.fixture
def segmented(tmp_path: Path) -> Iterator[Segmented]:
    with project_instance(tmp_path / "home") as instance:
        yield Segmented(write_project(tmp_path / "project"), instance)


def interrupt_at(event_type: str, monkeypatch: pytest.MonkeyPatch, instance: dg.DagsterInstance) -> None:
    """Press Ctrl-C when Dagster has stored the first event of a type."""
    storage = type(instance.event_log_storage)
    store, pressed = storage.store_event, list[dg.EventLogEntry]()

    def store_event(self: Any, event: dg.EventLogEntry) -> None:  # noqa: ANN401  a storage
        store(self, event)
        if not pressed and event.dagster_event and event.dagster_event.event_type_value == event_type:
            pressed.append(event)
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(storage, "store_event", store_event)


@pytest.mark.parametrize("event_type", ["STEP_START", "ASSET_CHECK_EVALUATION"])
def test_ctrl_c_while_dagster_is_at_work_ends_as_canceled(
    segmented: Segmented, monkeypatch: pytest.MonkeyPatch, event_type: str
) -> None:
    interrupt_at(event_type, monkeypatch, segmented.instance)
    assert "DagsterExecutionInterruptedError" in segmented.run("plane_labels", PARTITIONS[0], PARTITIONS[-1])
    (run,) = segmented.instance.get_runs()
    assert run.status == dg.DagsterRunStatus.CANCELED
    assert segmented.materialized() == (set() if event_type == "STEP_START" else set(PARTITIONS))


def test_a_run_of_an_image_that_is_gone_says_what_to_do(segmented: Segmented) -> None:
    job = segmented.definitions.resolve_implicit_global_asset_job_def()
    run = segmented.instance.create_run_for_job(job)
    try:
        job.get_subset(asset_selection=frozenset({dg.AssetKey(["gone", "plane_labels"])}))
    except dg.DagsterInvalidSubsetError:
        error = EngineEventData.engine_error(serializable_error_info_from_exc_info(sys.exc_info()))
    segmented.instance.report_engine_event("An exception was thrown", run, error)
    *_, last = segmented.instance.all_logs(run.run_id)
    assert last.get_dagster_event().message == GONE
