"""The event log that stores batches in a real PostgreSQL."""

import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import sqlalchemy as db

from idr_assets.orchestration.event_log import outage, read_again
from idr_assets.orchestration.event_log.postgres import BatchedPostgresEventLogStorage
from idr_assets.orchestration.records_lock import lock_records
from idr_assets_tests.support.changed_dagster import change_dagster
from idr_assets_tests.support.dagster_home import ROOT
from idr_assets_tests.support.empty_planes import SOME, in_child, planes, run
from idr_assets_tests.support.event_rows import Rows, stored_rows
from idr_assets_tests.support.forked import exit_codes
from idr_assets_tests.support.planes_status import assert_same_status, counts, status
from idr_assets_tests.support.postgres_server import postgres_server
from idr_assets_tests.support.small_image import small_image

BATCHED = next(
    block for block in re.findall(r"```yaml\n(.*?)```", (ROOT / "docs/how_to/postgresql.md").read_text(), re.DOTALL)
    if "event_log.postgres" in block
)  # fmt: skip
DAGSTERS_OWN = "storage: {postgres: {postgres_url: {env: DAGSTER_POSTGRES_URL}}}\n"

REFUSE_BATCHES = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF EXISTS (SELECT FROM event_logs WHERE xmin = pg_current_xact_id()::xid) THEN RAISE 'refused'; END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER refuse BEFORE INSERT ON event_logs FOR EACH ROW EXECUTE FUNCTION refuse();
"""
"""Refuse a second event in one transaction."""

CUT = """
CREATE SEQUENCE stored;
CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF nextval('stored') % 11 = 0 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER cut BEFORE INSERT ON event_logs FOR EACH ROW EXECUTE FUNCTION cut();
"""
"""Cut the connection at every eleventh event that is to be stored, wherever in a batch it is."""

CUT_HOLDER = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted"

TRANSACTIONS = """
SELECT dagster_event_type, count(DISTINCT xmin::text) FROM event_logs WHERE step_key = 'planes'
AND dagster_event_type IN ('ASSET_MATERIALIZATION_PLANNED', 'ASSET_MATERIALIZATION') GROUP BY 1
"""

type Opened = Callable[[str, str], dg.DagsterInstance]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Give the address of a server; without PostgreSQL tests are skipped, in continuous integration they fail."""
    with ExitStack() as stack:
        try:
            address = stack.enter_context(postgres_server())
        except FileNotFoundError as error:
            (pytest.fail if os.environ.get("CI") else pytest.skip)(str(error))
        yield address


@pytest.fixture
def opened(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Opened]:
    """Give what makes a database and opens an instance on it."""
    with ExitStack() as stack:

        def opened(database: str, settings: str) -> dg.DagsterInstance:
            execute(f"{server}/postgres", f"CREATE DATABASE {database}")
            monkeypatch.setenv("DAGSTER_POSTGRES_URL", f"{server}/{database}")
            home = tmp_path / database
            home.mkdir()
            (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n" + settings)
            return stack.enter_context(dg.DagsterInstance.from_config(str(home)))

        yield opened


def execute(url: str, statement: str) -> None:
    engine = db.create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(db.text(statement))
    engine.dispose()


def transactions(url: str) -> dict[str, int]:
    """Count the transactions that stored the events of planes, of each type."""
    engine = db.create_engine(url)
    with engine.connect() as connection:
        counted = {str(type_): count for type_, count in connection.execute(db.text(TRANSACTIONS))}
    engine.dispose()
    return counted


def rows_of(url: str) -> Rows:
    """Give every row, the ids of asset keys aside: PostgreSQL spends one at each update."""
    found = stored_rows(url)
    return found | {"asset_keys": [row | {"id": None} for row in found["asset_keys"]]}


def test_batches_leave_the_rows_of_dagsters_own_storage_in_few_transactions(
    opened: Opened, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for database, settings, size in (("own", DAGSTERS_OWN, "0"), ("ours", BATCHED, "7")):
        monkeypatch.setenv("DAGSTER_EVENT_BATCH_SIZE", size)
        assert run(opened(database, settings), *SOME)
    assert rows_of(f"{server}/ours") == rows_of(f"{server}/own")
    assert transactions(f"{server}/own") == {"ASSET_MATERIALIZATION_PLANNED": 12, "ASSET_MATERIALIZATION": 12}
    assert transactions(f"{server}/ours") == {"ASSET_MATERIALIZATION_PLANNED": 2, "ASSET_MATERIALIZATION": 2}


def test_a_dagster_that_is_not_known_stores_planned_events_one_by_one(
    opened: Opened, server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = opened("unknown", BATCHED)
    monkeypatch.setenv("DAGSTER_EVENT_BATCH_SIZE", "7")
    assert exit_codes(in_child(tmp_path / "unknown", *SOME, before=change_dagster)) == [0]
    assert transactions(f"{server}/unknown") == {"ASSET_MATERIALIZATION_PLANNED": 12, "ASSET_MATERIALIZATION": 2}
    assert len(own.get_materialized_partitions(planes.key)) == 12


def test_homes_that_share_a_database_are_one_at_a_time(opened: Opened, server: str, tmp_path: Path) -> None:
    ours = opened("shared", BATCHED)
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs/dagster.yaml").write_text((tmp_path / "shared/dagster.yaml").read_text())
    with dg.DagsterInstance.from_config(str(tmp_path / "theirs")) as theirs, ThreadPoolExecutor(1) as pool:
        for cut in (False, True):
            with lock_records(ours, small_image()):
                waiting = pool.submit(enter, theirs)
                with pytest.raises(TimeoutError):
                    waiting.result(0.5)
                if cut:
                    execute(f"{server}/postgres", CUT_HOLDER)
                    waiting.result(60)
            waiting.result(60)


def enter(instance: dg.DagsterInstance) -> None:
    with lock_records(instance, small_image()):
        pass


def test_a_refused_batch_is_stored_event_by_event(
    opened: Opened, server: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DAGSTER_EVENT_BATCH_SIZE", "7")
    instance = opened("refused", BATCHED)
    assert type(instance.event_log_storage) is BatchedPostgresEventLogStorage
    execute(f"{server}/refused", REFUSE_BATCHES)
    assert run(instance, "1|03", "1|06")
    assert "Falling back" in capfd.readouterr().err
    events = [row for row in rows_of(f"{server}/refused")["event_logs"] if row["partition"]]
    stored = [(row["dagster_event_type"], row["partition"]) for row in events]
    assert len(stored) == len(set(stored)) == 8


def test_runs_at_once_store_every_event_once(
    opened: Opened, server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_EVENT_BATCH_SIZE", "7")
    instance = opened("at_once", BATCHED)
    child = in_child(tmp_path / "at_once", "0|00", "1|19")
    assert run(instance, "2|00", "3|19")
    assert exit_codes(child) == [0]
    rows = [row for row in stored_rows(f"{server}/at_once")["event_logs"] if row["partition"]]
    stored = Counter((row["dagster_event_type"], row["partition"]) for row in rows)
    types = ("ASSET_MATERIALIZATION_PLANNED", "ASSET_MATERIALIZATION")
    assert stored == Counter((type_, f"{t}|{z:02}") for type_ in types for t in range(4) for z in range(20))


def test_events_are_stored_once_though_connections_are_cut(
    opened: Opened, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_EVENT_BATCH_SIZE", "7")
    monkeypatch.setattr(outage, "PAUSE", 0.05)
    instance = opened("cut", BATCHED)
    execute(f"{server}/cut", CUT)
    assert run(instance, *SOME)
    rows = [row for row in stored_rows(f"{server}/cut")["event_logs"] if row["partition"]]
    assert sorted(Counter((row["dagster_event_type"], row["partition"]) for row in rows).values()) == [1] * 24
    assert instance.get_runs()[0].status == dg.DagsterRunStatus.SUCCESS


def test_a_run_reads_again_if_its_connection_is_cut(
    opened: Opened, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outage, "PAUSE", 0.05)
    instance = opened("read", BATCHED)
    assert run(instance, "1|03", "1|04")
    cut: list[str] = []

    def cut_once(connection: Any, _cursor: object, statement: str, *_: object) -> None:  # noqa: ANN401  psycopg2's
        if statement not in cut:
            cut.append(statement)
            execute(f"{server}/postgres", f"SELECT pg_terminate_backend({connection.connection.get_backend_pid()})")

    read_again(instance)
    storages: Any = (instance.event_log_storage, instance.run_storage)
    for storage in storages:
        db.event.listen(storage._engine, "before_cursor_execute", cut_once)  # noqa: SLF001  as a server does
    assert instance.get_runs()[0].is_finished
    assert len(instance.get_materialized_partitions(planes.key)) == 2
    assert len(cut) > 1


def test_wiped_partitions_are_missing_and_the_log_of_their_run_keeps_them(opened: Opened) -> None:
    instance = opened("wiped", BATCHED)
    assert run(instance, *SOME)
    records = instance.fetch_materializations(planes.key, limit=100).records
    wiped, wiped_too, last_left, *_ = order = [str(record.partition_key) for record in records]
    run_id = instance.get_runs()[0].run_id
    told = instance.all_logs(run_id)
    instance.wipe_asset_partitions(planes.key, [wiped, wiped_too])
    assert instance.get_materialized_partitions(planes.key) == {*order} - {wiped, wiped_too}
    assert counts(status(instance)) == (10, 0, 0)
    last = instance.get_latest_materialization_event(planes.key)
    assert last
    assert last.asset_materialization
    assert last.asset_materialization.partition == last_left
    assert instance.all_logs(run_id) == told
    assert run(instance, wiped, wiped)
    assert instance.get_materialized_partitions(planes.key) == {*order} - {wiped_too}


def test_status_of_partitions_is_that_of_dagsters_own_storage(opened: Opened, tmp_path: Path) -> None:
    ours = opened("status", BATCHED)
    (tmp_path / "status/own.yaml").write_text("telemetry: {enabled: false}\n" + DAGSTERS_OWN)
    with dg.DagsterInstance.from_config(str(tmp_path / "status"), "own.yaml") as own:
        assert_same_status(ours, own)
