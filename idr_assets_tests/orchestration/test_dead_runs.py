"""Runs that are killed or stopped end, and keep what they made; real ones, and what proves that a process lives."""

import signal
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from time import sleep

import dagster as dg
import pytest

from idr_assets.orchestration import dead_runs, proof_of_life
from idr_assets.orchestration.automation.missing import missing_planes
from idr_assets.orchestration.dead_runs import fail_dead_runs, prove_life
from idr_assets.orchestration.proof_of_life import has_died, here, hold
from idr_assets.project import find_image
from idr_assets_tests.support.dagster_home import DagsterHome, dagster_home, wait_until
from idr_assets_tests.support.image_project import ImageProject
from idr_assets_tests.support.small_image import PARTITIONS, RANGE, Segmented, write_project

HELD = "{function: idr_assets_tests.support.slow_planes.held, parameters: {folder: %s}}"
LAST_TWO = {(2, 9), (2, 10)}
RESUME = "idr-assets resume image -m project.definitions"


def write_held(home: DagsterHome) -> ImageProject:
    """Write a project whose planes are held while the home's folder has a file `hold`."""
    project = write_project(home.project, segmentation=HELD % home.path)
    project.write_definitions()
    (project.root / "data").rename(home.data)
    return project


def skipped(home: DagsterHome, definitions: dg.Definitions) -> bool:
    data = definitions.resolve_schedule_def("missing_image").evaluate_tick(
        dg.build_schedule_context(instance=home.instance)
    )
    return not data.run_requests


def labels(home: DagsterHome) -> set[str]:
    """Give the partitions that count as done."""
    return home.instance.get_materialized_partitions(dg.AssetKey(["image", "plane_labels"]))


def judged(home: DagsterHome) -> object:
    """Give the number of planes that the last check counts."""
    check = dg.AssetCheckKey(dg.AssetKey(["image", "plane_labels"]), "planes_stored")
    record = home.instance.get_latest_asset_check_evaluation_record(check)
    return record and record.evaluation and record.evaluation.metadata["planes checked"].value


def last_run(home: DagsterHome) -> dg.DagsterRun:
    return home.instance.get_runs(limit=1)[0]


def start(home: DagsterHome, command: str, held: str) -> subprocess.Popen[bytes]:
    """Start a command whose run holds planes, and wait until it does."""
    (home.path / "begun").unlink(missing_ok=True)
    (home.path / "hold").write_text(held)
    started = home.start(command)
    wait_until(lambda: (home.path / "begun").exists() or started.poll() is not None)
    return started


@pytest.mark.timeout(600)
def test_a_command_that_is_killed_or_stopped_keeps_what_it_made(tmp_path: Path) -> None:
    with dagster_home(tmp_path, tmp_path / "project") as home:
        definitions = write_held(home).load()
        image = find_image(definitions, "image")[0]
        killed = start(home, "dg launch --assets image/plane_labels --partition-range '1|09...2|10'", "2")
        wait_until(lambda: labels(home) == set(PARTITIONS[:2]))
        assert last_run(home).status == dg.DagsterRunStatus.STARTED
        assert missing_planes(home.instance, image) == set()
        killed.kill()
        assert killed.wait(60) == -signal.SIGKILL

        assert missing_planes(home.instance, image) == LAST_TWO
        run = last_run(home)
        assert run.status == dg.DagsterRunStatus.FAILURE
        (failure,) = home.instance.all_logs(run.run_id, of_type=dg.DagsterEventType.PIPELINE_FAILURE)
        assert "The process of this run is gone" in str(failure.dagster_event)
        assert not skipped(home, definitions)

        stopped = start(home, RESUME, "2 10")
        wait_until((home.data / "image.ome.zarr/labels/segmentation/0/c/2/1/9").exists)
        sleep(1)  # between that the plane is stored and that the run hears of it
        stopped.send_signal(signal.SIGINT)
        assert stopped.wait(60) == 1
        assert (
            home.output.read_text()
            .splitlines()[-1]
            .startswith(
                "The run was stopped: 1 of 2 partitions are done and kept; the others are as they were before it. "
            )
        )
        assert judged(home) == 6  # planes of three partitions, for the killed run could not judge its own
        assert last_run(home).status == dg.DagsterRunStatus.CANCELED
        assert labels(home) == set(PARTITIONS[:3])
        (home.path / "hold").unlink()
        code, output = home.run(RESUME)
        assert code == 0, output
        assert "2 of 2 planes done" in output  # the channels of one partition
        assert missing_planes(home.instance, image) == set()
        assert skipped(home, definitions)
        assert judged(home) == 2


def started(segmented: Segmented, status: str = "STARTED") -> dg.DagsterRun:
    job, tags = segmented.definitions.resolve_job_def("segment_image"), dict(zip(RANGE, PARTITIONS[:2], strict=True))
    return segmented.instance.create_run_for_job(job, status=dg.DagsterRunStatus(status), tags=tags)


def status(segmented: Segmented, run: dg.DagsterRun) -> str:
    """Give the status after dead runs were looked for."""
    fail_dead_runs(segmented.instance)
    (found,) = segmented.instance.get_runs(dg.RunsFilter(run_ids=[run.run_id]))
    return found.status.value


def proof(segmented: Segmented, run: dg.DagsterRun) -> Path:
    return Path(segmented.instance.root_directory, "idr_assets/runs", run.run_id)


def test_who_lives_or_ends_by_itself_has_not_died(fresh: Segmented) -> None:
    run = started(fresh)
    with prove_life(fresh.instance, run.run_id), prove_life(fresh.instance, run.run_id):  # of a second image
        assert status(fresh, run) == "STARTED"
    assert status(fresh, run) == "STARTED"  # Dagster stores that it ended just after that


@pytest.mark.parametrize(
    ("before", "after"), [("STARTED", "FAILURE"), ("CANCELING", "CANCELED"), ("SUCCESS", "SUCCESS")]
)
def test_a_run_whose_process_let_go_of_its_proof_has_died(fresh: Segmented, before: str, after: str) -> None:
    run = started(fresh, before)
    with hold(proof(fresh, run), here()):
        pass
    assert status(fresh, run) == after
    assert not proof(fresh, run).exists()


def test_a_run_that_was_never_started_is_failed_the_next_day(fresh: Segmented, monkeypatch: pytest.MonkeyPatch) -> None:
    run, other = started(fresh, "NOT_STARTED"), started(fresh)
    assert status(fresh, run) == "NOT_STARTED"
    monkeypatch.setattr(dead_runs, "LONGEST_CREATION", timedelta(seconds=-2))
    assert (status(fresh, run), status(fresh, other)) == ("FAILURE", "STARTED")


def test_a_run_lives_without_a_folder_for_its_proof(fresh: Segmented) -> None:
    Path(fresh.instance.root_directory, "idr_assets").touch()
    with prove_life(fresh.instance, "run"):
        fail_dead_runs(fresh.instance)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Give this machine a name for good, as one has that is no container."""
    (tmp_path / "machine-id").write_text("0b1c\n")
    monkeypatch.setattr(proof_of_life, "MACHINE", tmp_path / "machine-id")
    here.cache_clear()
    yield here().partition("\n")[0]
    here.cache_clear()


@pytest.mark.parametrize(
    ("text", "died"),
    [("%s\nkernel before", True), ("another\nkernel before", False), ("\nkernel before", False), ("", False)],
)
def test_what_is_not_locked_has_died_if_this_machine_held_it(
    tmp_path: Path, machine: str, text: str, *, died: bool
) -> None:
    path = tmp_path / "proof"
    path.write_text(text.replace("%s", machine))
    assert has_died(path) == died


def test_no_machine_without_a_name_was_started_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proof_of_life, "MACHINE", tmp_path / "none")
    here.cache_clear()
    (tmp_path / "proof").write_text("\nkernel before")
    assert not has_died(tmp_path / "proof")
    here.cache_clear()
