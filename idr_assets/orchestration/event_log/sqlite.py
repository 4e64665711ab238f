"""Store Dagster's events in batches in SQLite, in the same files as Dagster's own storage."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from stat import S_IWGRP
from typing import Any, Self

import dagster as dg
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.event_log.schema import SqlEventLogStorageTable
from dagster._serdes import ConfigurableClassData

from idr_assets.orchestration.event_log.batches import EventBatches, insert_events
from idr_assets.orchestration.event_log.status import PartitionStatus
from idr_assets.orchestration.event_log.wipe import PartitionWipe


class BatchedSqliteEventLogStorage(EventBatches, PartitionStatus, PartitionWipe, SqliteEventLogStorage):
    """Dagster's event log in SQLite, with batches and wipes of single partitions.

    A batch goes into the run's database, then into the index. If the second step fails, the first is undone: Dagster
    then sends each event by itself, and none may be stored twice. A process killed between the two leaves events in the
    run's log that the index lacks: those planes count as missing, and the next run makes them again.
    """

    def __init__(self, inst_data: ConfigurableClassData | None = None) -> None:
        """Wait for the instance, whose folder holds the events."""
        self._inst_data = inst_data

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """Return the settings: there are none."""
        return {}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]) -> Self:
        """Create the storage that dagster.yaml names."""
        return cls(inst_data, **config_value)

    def register_instance(self, instance: dg.DagsterInstance) -> None:
        """Open the events of an instance, in the folder that Dagster's own storage uses."""
        super().__init__(str(Path(instance.root_directory, "history", "runs")), self._inst_data)
        super().register_instance(instance)
        _share(Path(instance.root_directory))

    def store_event_batch(self, events: Sequence[dg.EventLogEntry]) -> None:
        """Store the events of one run, in one transaction of its database and one of the index."""
        rows, run_id = [self._event_to_row(event) for event in events], events[0].run_id
        with self.run_connection(run_id) as connection:
            ids = insert_events(connection, rows)
        with ExitStack() as undo:
            undo.callback(self._forget, run_id, ids)
            self._index(events, rows)
            undo.pop_all()

    def _forget(self, run_id: str, ids: Sequence[int]) -> None:
        with self.run_connection(run_id) as connection:  # ids of one transaction have no gap
            connection.execute(
                SqlEventLogStorageTable.delete().where(SqlEventLogStorageTable.c.id.between(ids[0], ids[-1]))
            )


def _share(home: Path) -> None:
    """Let the group that may write into an instance's folder write its databases: SQLite ignores the umask for that."""
    if not home.stat().st_mode & S_IWGRP:
        return
    for database in ("history/runs.db", "history/runs/index.db", "schedules/schedules.db"):
        with suppress(OSError):  # a database that is not there yet, or is another user's
            (home / database).chmod((home / database).stat().st_mode | S_IWGRP)
