"""The demo's jobs on Dagster's own event log, where its internals are not known, against those with batches."""

import json
import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg
import dask
from click.testing import CliRunner

from idr_assets.command_line import main
from idr_assets.definitions import defs
from idr_assets.orchestration.automation.missing import stale_planes
from idr_assets.orchestration.partitions import window_partitions
from idr_assets.project import find_image
from idr_assets_tests.support.changed_dagster import change_dagster, needs_batches
from idr_assets_tests.support.dagster_home import project_instance
from idr_assets_tests.support.forked import exit_codes, fork
from idr_assets_tests.support.small_image import RANGE

PLANE_LABELS = dg.AssetKey(["demo", "plane_labels"])
EMBRYO, SOURCE, BROWSER, OBJECTS = (
    dg.AssetKey(["demo", name]) for name in ("synthetic_embryo", "source_image", "plane_browser", "objects")
)
JOBS = {
    "segment_demo": (("02|04", "04|12"), [EMBRYO, SOURCE, PLANE_LABELS, BROWSER]),
    "measure_demo": (("02", "04"), [OBJECTS]),
}
"""What a run makes; the other planes are missing. What matplotlib draws is left out, for it takes the longest."""


def run_demo(home: Path, before: Callable[[], None] | None) -> None:
    """Run the jobs, and write down what Dagster and the commands then say."""
    os.environ |= {"DAGSTER_HOME": str(home), "IDR_ASSETS_DATA": str(home / "data")}
    logging.basicConfig(filename=home.with_suffix(".log"), level=logging.WARNING)
    if before:
        before()
    forked = dask.config.set({"distributed.worker.multiprocessing-method": "forkserver"})
    with project_instance(home) as instance, forked:
        for name, (range_, assets) in JOBS.items():
            job, tags = defs().resolve_job_def(name), dict(zip(RANGE, range_, strict=True))
            assert job.execute_in_process(instance=instance, asset_selection=assets, tags=tags).success
        home.with_suffix(".json").write_text(json.dumps(dict(ask(instance)), default=str))


def ask(instance: dg.DagsterInstance) -> Iterator[tuple[str, Any]]:
    """Give events, states, staleness and what is missing."""
    image = find_image(defs(), "demo")[0]
    changed = replace(image, recipe=replace(image.recipe, parameters={"sigma": 2}))
    partitions = window_partitions(image)
    states = instance.get_status_by_partition(PLANE_LABELS, partitions.get_partition_keys(), partitions) or {}
    yield "storage", type(instance.event_log_storage).__name__
    told = [event for run in instance.get_runs() for event in events(instance, run.run_id)]
    yield "events", sorted(told, key=str)  # blocks end in any order
    yield "states", {key: state and state.name for key, state in states.items()}
    yield "stale", [sorted(stale_planes(instance, it)) for it in (image, changed)]
    yield "missing", CliRunner().invoke(main, ["missing", "demo"]).output


def events(instance: dg.DagsterInstance, run_id: str) -> Iterator[tuple[object, ...]]:
    """Give the events of a run, with the names of what they tell."""
    for entry in instance.all_logs(run_id):
        event = entry.dagster_event
        if event and event.is_step_materialization:
            told = event.step_materialization_data.materialization
            names = sorted([*told.metadata, *(told.tags or {})])
            yield event.event_type_value, told.asset_key.to_user_string(), told.partition, names
        elif event:
            yield event.event_type_value, event.step_key, event.partition


@needs_batches
def test_the_demo_gives_the_same_without_batches(tmp_path: Path) -> None:
    befores = {"batched": None, "plain": change_dagster}
    assert exit_codes(*[fork(run_demo, tmp_path / name, before) for name, before in befores.items()]) == [0, 0]
    batched, plain = (json.loads((tmp_path / f"{name}.json").read_text()) for name in befores)
    storages = batched.pop("storage"), plain.pop("storage")
    assert storages == ("BatchedSqliteEventLogStorage", "InstanceSqliteEventLogStorage")
    assert plain == batched
    logs = [(tmp_path / f"{name}.log").read_text() for name in befores]
    assert [log.count("works in another way than idr_assets knows") for log in logs] == [0, 1]
