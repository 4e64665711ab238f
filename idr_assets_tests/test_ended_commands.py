"""Commands that are interrupted, told to end or killed: no process of theirs is left, whatever dask runs on."""

import signal
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import psutil
import pytest

from idr_assets_tests.support.dagster_home import wait_until
from idr_assets_tests.support.dask_forms import FORMS, HeldRuns, held_runs
from idr_assets_tests.support.dask_processes import Scheduler, running_scheduler
from idr_assets_tests.support.small_image import PARTITIONS

COMMAND = (
    "dagster asset materialize -m project.definitions --select image/plane_labels "
    f"--partition-range '{PARTITIONS[0]}...{PARTITIONS[-1]}'"
)


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scheduler]:
    with running_scheduler(tmp_path_factory.mktemp("scheduler"), workers=1) as scheduler:
        yield scheduler


@pytest.fixture
def runs(tmp_path: Path, scheduler: Scheduler) -> Iterator[HeldRuns]:
    with held_runs(tmp_path, scheduler) as runs:
        yield runs


# What interrupts a run of each form is tried where the UI cancels it. Dagster takes SIGTERM as SIGINT.
ENDINGS = [*product(FORMS, [signal.SIGKILL]), ("processes", signal.SIGTERM)]


@pytest.mark.parametrize(("form", "ending"), ENDINGS, ids=lambda it: str(getattr(it, "name", it)))
def test_nothing_is_left_of_a_command_that_is_ended(runs: HeldRuns, form: str, ending: signal.Signals) -> None:
    runs.use(form)
    command = runs.home.start(COMMAND)
    wait_until(lambda: runs.begun.exists() or command.poll() is not None)
    command.send_signal(ending)
    assert command.wait(60) != 0
    assert psutil.wait_procs(runs.home.processes, timeout=30)[1] == []
    runs.hold.unlink(missing_ok=True)  # for threads of other people's workers, which nobody can stop
    wait_until(lambda: runs.scheduler.is_idle, 30)
