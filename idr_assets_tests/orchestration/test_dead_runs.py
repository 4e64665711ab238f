"""A run that is killed does not count as running for ever; a real one, and what proves that a process lives."""

import signal
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

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
FIRST_TWO = {(1, 9), (1, 10)}


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


@pytest.mark.timeout(300)
def test_planes_of_a_command_that_is_killed_are_missing(tmp_path: Path) -> None:
    with dagster_home(tmp_path, tmp_path / "project") as home:
        definitions = write_held(home).load()
        image = find_image(definitions, "image")[0]
        (home.path / "hold").touch()
        command = home.start("dg launch --assets image/plane_labels --partition-range '1|09...1|10'")
        wait_until(lambda: (home.path / "begun").exists() or command.poll() is not None)
        (run,) = home.instance.get_runs()
        assert missing_planes(home.instance, image) & FIRST_TWO == set()
        command.kill()
        assert command.wait(60) == -signal.SIGKILL
        (home.path / "hold").unlink()

        assert missing_planes(home.instance, image) >= FIRST_TWO
        ended = home.instance.get_run_by_id(run.run_id)
        assert ended
        assert ended.status == dg.DagsterRunStatus.FAILURE
        (failure,) = home.instance.all_logs(run.run_id, of_type=dg.DagsterEventType.PIPELINE_FAILURE)
        assert "The process of this run is gone" in str(failure.dagster_event)
        assert not skipped(home, definitions)
        code, output = home.run("idr-assets resume image -m project.definitions")
        assert code == 0, output
        assert missing_planes(home.instance, image) == set()
        assert skipped(home, definitions)


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
