"""The event log that stores batches: the rows of Dagster's own, whatever fails, and with other runs beside it."""

import os
import shutil
import signal
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import sqlalchemy as db

from idr_assets.orchestration.event_log import BatchedSqliteEventLogStorage
from idr_assets.orchestration.event_log.batches import EventBatches
from idr_assets_tests.support.dagster_home import project_instance
from idr_assets_tests.support.empty_planes import PLANES, SOME, in_child, planes, run
from idr_assets_tests.support.event_rows import Rows, stored_rows
from idr_assets_tests.support.forked import exit_codes

REFUSE = {
    "planned": """
CREATE TRIGGER refuse BEFORE INSERT ON event_logs WHEN NEW.dagster_event_type = 'ASSET_MATERIALIZATION_PLANNED'
AND NEW.partition IS NOT NULL AND EXISTS (SELECT * FROM event_logs WHERE asset_key = NEW.asset_key)
AND NOT EXISTS (SELECT * FROM asset_keys WHERE asset_key = NEW.asset_key)
BEGIN SELECT RAISE(ABORT, 'refused'); END
""",
    "materialized": """
CREATE TRIGGER refuse BEFORE INSERT ON event_logs WHEN NEW.dagster_event_type = 'ASSET_MATERIALIZATION'
AND (SELECT count(*) FROM event_logs WHERE dagster_event_type = 'ASSET_MATERIALIZATION' AND partition IS NOT NULL)
  > (SELECT count(DISTINCT event_id) FROM asset_event_tags WHERE key = 'dagster/partition/t')
BEGIN SELECT RAISE(ABORT, 'refused'); END
""",
}
"""Refuse an event that comes before the asset, or the tags, of the last one are there, as in a batch."""


@pytest.fixture(autouse=True)
def _batches_of_seven(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAGSTER_EVENT_BATCH_SIZE", "7")


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """Give an instance with the project's settings."""
    with project_instance(tmp_path / "home") as instance:
        yield instance


@pytest.fixture
def home(instance: dg.DagsterInstance) -> Path:
    """Give the folder of the instance."""
    return Path(instance.root_directory)


@pytest.fixture(scope="module")
def dagsters_own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder of an instance in which Dagster's own storage, without batches, stored two runs."""
    folder = tmp_path_factory.mktemp("own")
    (folder / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    with pytest.MonkeyPatch.context() as patch, dg.DagsterInstance.from_config(str(folder)) as instance:
        patch.setenv("DAGSTER_EVENT_BATCH_SIZE", "0")
        assert run(instance, *SOME)
        assert run(instance, SOME[0], SOME[0])
    return folder


def kill_at_materialized() -> None:
    """Let this process be killed when a batch of materialized events is to come into the index."""
    index = EventBatches._index  # noqa: SLF001

    def killing(storage: Any, events: Sequence[dg.EventLogEntry], rows: Any, *, again: bool) -> None:  # noqa: ANN401
        if events[0].dagster_event_type == dg.DagsterEventType.ASSET_MATERIALIZATION:
            os.kill(os.getpid(), signal.SIGKILL)
        index(storage, events, rows, again=again)

    pytest.MonkeyPatch().setattr(EventBatches, "_index", killing)


def of_runs(home: Path) -> list[Rows]:
    """Give the rows of the index, and of each run in the order of their end."""
    shards = sorted((home / "history/runs").glob("*.db"), key=lambda path: (path.name != "index.db", -_rows(path)))
    return [stored_rows(f"sqlite:///{shard}") for shard in shards]


def indexed(home: Path, type_: str = "ASSET_MATERIALIZATION") -> Counter[str]:
    """Count the events of each partition that the index has."""
    return _counted(home / "history/runs/index.db", type_)


def logged(home: Path, type_: str = "ASSET_MATERIALIZATION") -> list[Counter[str]]:
    """Count the events of each partition that each run's log has."""
    return [_counted(path, type_) for path in (home / "history/runs").glob("*-*.db")]


def _counted(path: Path, type_: str) -> Counter[str]:
    rows = stored_rows(f"sqlite:///{path}")["event_logs"]
    return Counter(str(row["partition"]) for row in rows if row["dagster_event_type"] == type_ and row["partition"])


def _rows(path: Path) -> int:
    return len(stored_rows(f"sqlite:///{path}")["event_logs"])


def test_every_row_is_that_of_dagsters_own_storage(
    dagsters_own: Path, home: Path, instance: dg.DagsterInstance
) -> None:
    assert run(instance, *SOME)
    assert run(instance, SOME[0], SOME[0])
    ours, own = of_runs(home), of_runs(dagsters_own)
    assert len(own) == 3
    assert ours == own


@pytest.mark.parametrize("refused", REFUSE)
def test_a_refused_batch_is_stored_event_by_event(
    refused: str, dagsters_own: Path, home: Path, instance: dg.DagsterInstance, capfd: pytest.CaptureFixture[str]
) -> None:
    engine = db.create_engine(f"sqlite:///{home}/history/runs/index.db")
    with engine.begin() as connection:
        connection.execute(db.text(REFUSE[refused]))
    engine.dispose()
    assert run(instance, *SOME)
    assert "Falling back" in capfd.readouterr().err
    assert run(instance, SOME[0], SOME[0])
    assert of_runs(home) == of_runs(dagsters_own)


def test_runs_at_once_store_every_event_once(home: Path, instance: dg.DagsterInstance) -> None:
    child = in_child(home, "0|00", "1|19")
    assert run(instance, "2|00", "3|19")
    assert exit_codes(child) == [0]
    once = Counter(f"{t}|{z:02}" for t in range(4) for z in range(20))
    assert indexed(home) == indexed(home, "ASSET_MATERIALIZATION_PLANNED") == once
    assert sum(logged(home), Counter()) == once


def test_a_run_killed_between_the_databases_is_made_up_for_by_the_next(
    home: Path, instance: dg.DagsterInstance
) -> None:
    assert exit_codes(in_child(home, *SOME, before=kill_at_materialized)) == [-signal.SIGKILL]
    assert (sum(logged(home)[0].values()), indexed(home)) == (7, Counter())
    assert instance.get_materialized_partitions(planes.key) == set()
    assert run(instance, *SOME)
    assert sorted(indexed(home).values()) == [1] * 12
    assert instance.get_materialized_partitions(planes.key) == set(indexed(home))


def test_a_batch_takes_no_event_of_another_instance(instance: dg.DagsterInstance, tmp_path: Path) -> None:
    with project_instance(tmp_path / "other") as other:
        ours, theirs = instance.event_log_storage, other.event_log_storage
        assert isinstance(ours, BatchedSqliteEventLogStorage)
        assert isinstance(theirs, BatchedSqliteEventLogStorage)
        with ours._batch_transaction() as batch, theirs.index_connection() as connection:  # noqa: SLF001
            assert connection.engine.url != batch.engine.url


def test_events_of_an_instance_stay_when_it_starts_to_store_batches(dagsters_own: Path, tmp_path: Path) -> None:
    home = tmp_path / "another folder"
    shutil.copytree(dagsters_own, home)
    with project_instance(home) as instance:
        assert type(instance.event_log_storage) is BatchedSqliteEventLogStorage
        assert len(instance.get_materialized_partitions(planes.key)) == 12
        assert run(instance, "0|00", "0|01")
    assert len(indexed(home)) == 14


def test_wiped_partitions_are_missing_and_all_others_stay(home: Path, instance: dg.DagsterInstance) -> None:
    assert run(instance, *SOME)
    *_, last_left, wiped, wiped_too = order = list(indexed(home))
    before = dict(instance.get_status_by_partition(planes.key, order, PLANES) or {})
    assert [status and status.name for status in before.values()] == ["MATERIALIZED"] * 12
    instance.wipe_asset_partitions(planes.key, [wiped, wiped_too])
    after = instance.get_status_by_partition(planes.key, order, PLANES)
    assert after == {**before, wiped: None, wiped_too: None}
    last = instance.get_latest_materialization_event(planes.key)
    assert last
    assert last.asset_materialization
    assert last.asset_materialization.partition == last_left
    assert sum(logged(home), Counter())[wiped] == 1
    tags = stored_rows(f"sqlite:///{home}/history/runs/index.db")["asset_event_tags"]
    assert len([tag for tag in tags if tag["key"] == "dagster/partition/t"]) == 10
    assert run(instance, wiped, wiped)
    assert instance.get_materialized_partitions(planes.key) == {*order} - {wiped_too}
