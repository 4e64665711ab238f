"""A database of events that is away for a while: events are tried again, and stored once."""

import json
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy as db
from dagster._core.storage.event_log.sqlite import sqlite_event_log

from idr_assets.orchestration.dead_runs import fail_dead_runs, prove_life
from idr_assets.orchestration.event_log import has_given_up, outage
from idr_assets.orchestration.event_log.outage import may_pass
from idr_assets_tests.support import full_home
from idr_assets_tests.support.dagster_home import project_instance
from idr_assets_tests.support.empty_planes import PLANES, RANGE, SOME
from idr_assets_tests.support.event_rows import stored_rows
from idr_assets_tests.support.small_disk import small_disk
from idr_assets_tests.support.when_away import when_away

pytestmark = pytest.mark.filterwarnings("ignore:.*backfill_policy.*:dagster.BetaWarning")

ROOM = 4_000_000
"""Bytes: the databases of an instance fit."""

LOCK = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.readline()
"""


@pytest.fixture(autouse=True)
def _in_haste(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_event_log, "SQLITE_BUSY_TIMEOUT_SECONDS", 0.05)
    monkeypatch.setattr(outage, "PAUSE", 0.05)


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """Give an instance with the project's settings."""
    with project_instance(tmp_path / "home") as instance:
        instance.get_asset_keys()
        yield instance


def error(code: int) -> db.exc.OperationalError:
    orig = sqlite3.OperationalError("refused")
    orig.sqlite_errorcode = code
    return db.exc.OperationalError("INSERT", {}, orig)


@contextmanager
def locked(database: Path) -> Iterator[subprocess.Popen[str]]:
    """Let another process lock a database, until it is told to end."""
    command = [sys.executable, "-S", "-c", LOCK, str(database)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        assert process.stdout
        process.stdout.readline()
        try:
            yield process
        finally:
            process.kill()


def of_planes(home: Path) -> list[Counter[tuple[object, object]]]:
    """Count the events of each partition and type, in the index and in the run's own database."""
    rows = [stored_rows(f"sqlite:///{path}")["event_logs"] for path in (home / "history/runs").glob("*.db")]
    return [Counter((it["dagster_event_type"], it["partition"]) for it in each if it["partition"]) for each in rows]


def planes_behind(lock: Callable[[dg.AssetExecutionContext], None]) -> dg.AssetsDefinition:
    """Define planes that lock a database before they are told."""

    @dg.asset(partitions_def=PLANES, backfill_policy=dg.BackfillPolicy.single_run())
    def planes(context: dg.AssetExecutionContext) -> None:
        lock(context)

    return planes


@pytest.mark.parametrize("database", ["runs/index.db", "runs.db", "runs/{}.db"])
def test_a_run_waits_for_a_database_that_another_process_locks(
    database: str, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_EVENT_BATCH_SIZE", "7")
    home, processes = Path(instance.root_directory), list[subprocess.Popen[str]]()

    def lock(context: dg.AssetExecutionContext) -> None:
        path = home / "history" / database.format(context.run.run_id)
        processes.append(stack.enter_context(locked(path)))

    with ExitStack() as stack, when_away(lambda: processes[0].kill()):  # noqa: PLW0108  none yet
        tags = dict(zip(RANGE, SOME, strict=True))
        assert dg.materialize([planes_behind(lock)], instance=instance, tags=tags).success
        assert processes[0].wait(0)  # it was ended, because the run noticed it
    for stored in of_planes(home):
        assert (len(stored), set(stored.values())) == (24, {1})
    assert not has_given_up(instance)


def test_a_run_waits_for_space(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", ROOM) as (prefix, folder):
        command = [*prefix, sys.executable, "-m", full_home.__name__, str(folder)]
        printed = subprocess.run(command, capture_output=True, check=False, text=True)  # noqa: S603
    assert printed.returncode == 0, printed.stderr
    found = json.loads(printed.stdout.splitlines()[-1])
    assert (found["success"], found["state"], found["freed"]) == (True, "SUCCESS", True)
    for events in found["events"]:
        assert (len(events), len(set(map(tuple, events)))) == (24, 24)


def test_a_run_whose_events_are_refused_for_too_long_ends_and_is_known_to_be_dead(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IDR_ASSETS_EVENT_SECONDS", "0.3")

    def lock_for_good(context: dg.AssetExecutionContext) -> None:
        stack.enter_context(prove_life(context.instance, context.run.run_id))
        holding.enter_context(locked(Path(instance.root_directory, "history/runs/index.db")))

    tags = dict(zip(RANGE, SOME, strict=True))
    with ExitStack() as holding:
        with ExitStack() as stack, pytest.raises(db.exc.OperationalError):
            dg.materialize([planes_behind(lock_for_good)], instance=instance, tags=tags, raise_on_error=False)
        assert has_given_up(instance)
    (run,) = instance.get_runs()
    assert not run.is_finished
    fail_dead_runs(instance)
    (run,) = instance.get_runs()
    assert run.status == dg.DagsterRunStatus.FAILURE
    assert not has_given_up(instance)


def test_what_passes_is_told_from_what_stays() -> None:
    passing = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_CANTOPEN)
    assert all(may_pass(error(code)) for code in passing)
    assert not may_pass(error(sqlite3.SQLITE_READONLY))
    assert not may_pass(db.exc.IntegrityError("INSERT", {}, sqlite3.IntegrityError("refused")))
    assert not may_pass(ValueError("no error of a database"))
