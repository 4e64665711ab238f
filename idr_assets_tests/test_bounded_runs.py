"""Runs that are cancelled, killed or too many: their state is right, and no process of theirs is left."""

import re
import signal
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import psutil
import pytest
from playwright.sync_api import expect

from idr_assets_tests.dagster_home import DagsterHome, dagster_home, wait_until
from idr_assets_tests.image_project import ImageProject
from idr_assets_tests.orchestration.small_image import PARTITIONS, PIXELS, RANGE, write_project
from idr_assets_tests.web_ui import ask, browsing, serving

pytestmark = pytest.mark.timeout(300)

SLOW = """
from time import sleep
from idr_assets.imaging.segmentation import per_plane

@per_plane
def slow(plane, *, seconds):
    sleep(seconds)
    return (plane > 600).astype(int)
"""

LAUNCH = """
mutation ($location: String!, $image: [AssetKeyInput!], $tags: [ExecutionTag!]) {
  launchRun(executionParams: {
    selector: {repositoryName: "__repository__", repositoryLocationName: $location, jobName: "__ASSET_JOB",
               assetSelection: $image}
    executionMetadata: {tags: $tags}
  }) { __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } }
}
"""

FORMS = {
    "in_process": "{cluster: in_process, workers: 2}",
    "processes": "{cluster: processes, workers: 2}",
    "a class": "{cluster: distributed.LocalCluster, workers: 2, arguments: {dashboard_address: '127.0.0.1:0'}}",
}


def slow_project(root: Path, form: str, seconds: int) -> ImageProject:
    """Write a project whose planes take so many seconds each, on a form of the dask resource."""
    segmentation = f"{{function: {root.name}.own.slow, parameters: {{seconds: {seconds}}}}}"
    project = write_project(root, PIXELS, segmentation=segmentation)
    (project.package / "own.py").write_text(SLOW)
    project.write_definitions()
    dask = project.package / "defs/dask/defs.yaml"
    dask.write_text(f"type: idr_assets.DaskCluster\nattributes: {FORMS[form]}\n")
    return project


@pytest.fixture
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[DagsterHome]:
    project = slow_project(tmp_path / "project", *request.param)
    (tmp_path / "instance").mkdir()
    with dagster_home(tmp_path / "instance", project.root) as home:
        (project.root / "data").rename(home.data)
        yield home


def stored(home: DagsterHome) -> int:
    return len(list(home.data.glob("image.ome.zarr/labels/segmentation/0/c/*/*/*/0/0")))


@pytest.mark.parametrize(
    ("home", "ending"),
    [
        (("in_process", 1), signal.SIGINT),
        (("in_process", 1), signal.SIGTERM),
        (("processes", 1), signal.SIGTERM),
        (("processes", 1), signal.SIGKILL),
        (("a class", 1), signal.SIGKILL),
    ],
    indirect=["home"],
    ids=str,
)
def test_nothing_is_left_of_a_command_that_is_ended(home: DagsterHome, ending: signal.Signals) -> None:
    keys = f"{PARTITIONS[0]}...{PARTITIONS[-1]}"
    command = f"dagster asset materialize -m project.definitions --select image/plane_labels --partition-range '{keys}'"
    process = home.start(command)
    wait_until(lambda: "dask dashboard" in home.output.read_text() or process.poll() is not None)
    process.send_signal(ending)
    assert process.wait(60) != 0
    assert psutil.wait_procs(home.processes, timeout=30)[1] == []


def test_a_run_that_never_ends_is_ended_after_a_day(tmp_path: Path) -> None:
    with dagster_home(tmp_path) as home, home.instance as instance:
        assert instance.run_monitoring_enabled
        assert instance.run_monitoring_max_runtime_seconds == 24 * 60 * 60


@pytest.fixture
def ui(home: DagsterHome) -> Iterator[str]:
    """Start webserver, daemon and code server; give the address of the UI."""
    with serving(home, "dagster dev -m project.definitions") as ui:
        yield ui


def launch(ui: str, first: str, last: str) -> str:
    """Ask for a run of a rectangle of partitions, as the dialog does; give the run's id."""
    tags = [{"key": key, "value": value} for key, value in zip(RANGE, (first, last), strict=True)]
    image = [{"path": ["image", "plane_labels"]}]
    return str(ask(ui, LAUNCH, location="project.definitions", image=image, tags=tags)["launchRun"]["run"]["runId"])


def worker(home: DagsterHome, run: str) -> psutil.Process:
    """Give the process of a run."""
    with home.instance as instance:
        (event,) = [event for event in instance.all_logs(run) if "Executing steps in process" in event.message]
    return psutil.Process(int(re.findall(r"pid: (\d+)", event.message)[0]))


def states(home: DagsterHome, *runs: str) -> list[str]:
    with home.instance as instance:
        return [found.status.value for run in runs if (found := instance.get_run_by_id(run))]


def cancel(ui: str, run: str, chromium: str, screenshot: Path) -> None:
    """Press the buttons that end a run."""
    with browsing(ui, chromium) as page:
        page.goto(f"/runs/{run}")
        page.get_by_role("button", name="Terminate").click()
        page.screenshot(path=screenshot)
        page.get_by_role("dialog").get_by_role("button", name=re.compile("Terminate")).click()
        expect(page.get_by_text("Canceled", exact=True).first).to_be_visible()


def of_runs(home: DagsterHome) -> list[str]:
    """List the processes of runs, of their dask workers, and what collects their output."""
    commands = [" ".join(process.cmdline()) for process in home.processes]
    return [command for command in commands if "spawn_main" in command or command.startswith("tail ")]


@pytest.mark.browser
@pytest.mark.parametrize("home", [("processes", 8)], indirect=True)
def test_runs_wait_for_the_store_and_leave_nothing_when_cancelled_or_killed(
    home: DagsterHome, ui: str, chromium: str, tmp_path: Path
) -> None:
    cancelled = launch(ui, PARTITIONS[0], PARTITIONS[-1])
    wait_until(lambda: states(home, cancelled) == ["STARTED"])
    killed, waiting = launch(ui, PARTITIONS[0], PARTITIONS[-1]), launch(ui, PARTITIONS[0], PARTITIONS[0])
    wait_until(lambda: states(home, killed) == ["STARTED"])
    assert states(home, cancelled, waiting) == ["STARTED", "QUEUED"]
    assert of_runs(home)

    worker(home, killed).kill()
    cancel(ui, cancelled, chromium, tmp_path / "terminate.png")
    wait_until(lambda: states(home, cancelled, killed, waiting) == ["CANCELED", "FAILURE", "SUCCESS"])
    with home.instance as instance:
        assert instance.get_materialized_partitions(dg.AssetKey(["image", "plane_labels"])) == {PARTITIONS[0]}
    wait_until(lambda: not of_runs(home), 30)
