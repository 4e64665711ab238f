"""Runs of the UI that are cancelled, killed or too many: their state is right, and no process of theirs is left."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import dagster as dg
import psutil
import pytest
from playwright.sync_api import expect

from idr_assets_tests.support.dagster_home import DagsterHome, dagster_home, wait_until
from idr_assets_tests.support.dask_forms import FORMS, HeldRuns, held_runs
from idr_assets_tests.support.dask_processes import running_scheduler
from idr_assets_tests.support.small_image import PARTITIONS, RANGE
from idr_assets_tests.support.web_ui import ask, browsing, serving

pytestmark = pytest.mark.timeout(300)

LAUNCH = """
mutation ($location: String!, $image: [AssetKeyInput!], $tags: [ExecutionTag!]) {
  launchRun(executionParams: {
    selector: {repositoryName: "__repository__", repositoryLocationName: $location, jobName: "__ASSET_JOB",
               assetSelection: $image}
    executionMetadata: {tags: $tags}
  }) { __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } }
}
"""

TERMINATE = """
mutation ($runIds: [String!]!) {
  terminateRuns(runIds: $runIds, terminatePolicy: SAFE_TERMINATE) {
    ... on TerminateRunsResult { terminateRunResults { __typename } }
  }
}
"""
"""What the UI sends when its button is pressed."""


class Served(NamedTuple):
    """Runs that are held, and the address of the UI that starts them."""

    runs: HeldRuns
    ui: str

    @property
    def home(self) -> DagsterHome:
        """The home of both."""
        return self.runs.home


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Start webserver, daemon and code server, and beside them a dask scheduler."""
    with (
        running_scheduler(tmp_path_factory.mktemp("scheduler"), workers=1) as scheduler,
        held_runs(tmp_path_factory.mktemp("runs"), scheduler) as runs,
        serving(runs.home, "idr-assets ui -m project.definitions") as ui,
    ):
        yield Served(runs, ui)


def test_a_run_that_never_ends_is_ended_after_a_day(tmp_path: Path) -> None:
    with dagster_home(tmp_path) as home:
        instance = home.instance
        assert instance.run_monitoring_enabled
        assert instance.run_monitoring_max_runtime_seconds == 24 * 60 * 60


def launch(ui: str, first: str, last: str) -> str:
    """Ask for a run of a rectangle of partitions, as the dialog does; give the run's id."""
    tags = [{"key": key, "value": value} for key, value in zip(RANGE, (first, last), strict=True)]
    image = [{"path": ["image", "plane_labels"]}]
    return str(ask(ui, LAUNCH, location="project.definitions", image=image, tags=tags)["launchRun"]["run"]["runId"])


def said(home: DagsterHome, run: str, words: str) -> list[str]:
    """Give the messages of a run in which there are `words`."""
    return [event.message for event in home.instance.all_logs(run) if words in event.message]


def worker(home: DagsterHome, run: str) -> psutil.Process:
    """Give the process of a run, which says its number some time after the run has started."""
    wait_until(lambda: said(home, run, "Executing steps in process"))
    (message,) = said(home, run, "Executing steps in process")
    return psutil.Process(int(re.findall(r"pid: (\d+)", message)[0]))


def states(home: DagsterHome, *runs: str) -> list[str]:
    return [found.status.value for run in runs if (found := home.instance.get_run_by_id(run))]


def cancel(ui: str, run: str, chromium: str, screenshot: Path) -> None:
    """Press the buttons that end a run."""
    with browsing(ui, chromium) as page:
        page.goto(f"/runs/{run}")
        page.get_by_role("button", name="Terminate").click()
        page.screenshot(path=screenshot)
        page.get_by_role("dialog").get_by_role("button", name=re.compile("Terminate")).click()
        expect(page.get_by_text("Canceled", exact=True).first).to_be_visible()


@pytest.mark.browser
def test_runs_wait_for_the_store_and_leave_nothing_when_cancelled_or_killed(
    served: Served, chromium: str, tmp_path: Path
) -> None:
    home, ui = served.home, served.ui
    served.runs.use("processes")
    cancelled = launch(ui, PARTITIONS[0], PARTITIONS[-1])
    wait_until(lambda: states(home, cancelled) == ["STARTED"])
    killed, waiting = launch(ui, PARTITIONS[0], PARTITIONS[-1]), launch(ui, PARTITIONS[0], PARTITIONS[0])
    wait_until(lambda: states(home, killed) == ["STARTED"])
    assert states(home, cancelled, waiting) == ["STARTED", "QUEUED"]
    assert home.run_processes

    worker(home, killed).kill()
    cancel(ui, cancelled, chromium, tmp_path / "terminate.png")
    served.runs.hold.unlink()
    wait_until(lambda: states(home, cancelled, killed, waiting) == ["CANCELED", "FAILURE", "SUCCESS"])
    assert home.instance.get_materialized_partitions(dg.AssetKey(["image", "plane_labels"])) == {PARTITIONS[0]}
    wait_until(lambda: not home.run_processes, 30)


def test_runs_that_are_cancelled_keep_what_they_made_and_leave_nothing_else(served: Served) -> None:
    home, ui = served.home, served.ui
    home.instance.event_log_storage.set_concurrency_slots("local", len(FORMS))
    cancelled = []
    for form in FORMS:  # a run reads the YAML when it starts, so that all can be under way at once
        served.runs.use(form, "2")
        cancelled.append(launch(ui, PARTITIONS[0], PARTITIONS[-1]))
        wait_until(lambda: said(home, cancelled[-1], "dask dashboard"))
    wait_until(lambda: not served.runs.scheduler.is_idle)
    assert states(home, *cancelled) == ["STARTED"] * len(FORMS)

    results = ask(ui, TERMINATE, runIds=cancelled)["terminateRuns"]["terminateRunResults"]
    assert results == [{"__typename": "TerminateRunSuccess"}] * len(FORMS)
    wait_until(lambda: states(home, *cancelled) == ["CANCELED"] * len(FORMS))
    wait_until(lambda: not home.run_processes, 30)
    assert said(home, cancelled[0], "The run was stopped: 2 of 4 partitions are done and kept;")
    assert set(PARTITIONS[:2]) <= home.instance.get_materialized_partitions(dg.AssetKey(["image", "plane_labels"]))
    served.runs.hold.unlink()  # for threads of other people's workers, which nobody can stop
    wait_until(lambda: served.runs.scheduler.is_idle, 30)
