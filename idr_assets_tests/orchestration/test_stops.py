"""Commands that are told to stop end as canceled, wherever that finds them, and only after their planes are told."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import dagster as dg
import pytest

from idr_assets.orchestration.stops import note_stops
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


def test_a_stop_is_noted_and_what_came_before_is_as_it_was() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    for number in (signal.SIGINT, signal.SIGTERM):
        with note_stops() as stopped:
            assert not stopped()
            os.kill(os.getpid(), number)
            assert stopped()
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_a_thread_notes_nothing_since_nothing_interrupts_it() -> None:
    found = []

    def look() -> None:
        with note_stops() as stopped:
            found.append(stopped())

    thread = Thread(target=look)
    thread.start()
    thread.join()
    assert found == [False]
