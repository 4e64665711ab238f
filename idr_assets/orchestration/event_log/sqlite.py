"""Store Dagster's events in batches in SQLite, in the same files as Dagster's own storage."""

from collections.abc import Sequence
from contextlib import ExitStack

import dagster as dg
from dagster._core.storage.event_log.schema import SqlEventLogStorageTable

from idr_assets.orchestration.event_log.batches import EventBatches, insert_events
from idr_assets.orchestration.event_log.instance_storage import InstanceSqliteEventLogStorage
from idr_assets.orchestration.event_log.run_ends import RunEnds
from idr_assets.orchestration.event_log.status import PartitionStatus
from idr_assets.orchestration.event_log.wipe import PartitionWipe


class BatchedSqliteEventLogStorage(
    EventBatches, RunEnds, PartitionStatus, PartitionWipe, InstanceSqliteEventLogStorage
):
    """Dagster's event log in SQLite, with batches and wipes of single partitions.

    A batch goes into the run's database, then into the index. If the second step fails, the first is undone: Dagster
    then sends each event by itself, and none may be stored twice. A process killed between the two leaves events in the
    run's log that the index lacks: those planes count as missing, and the next run makes them again.
    """

    def store_event_batch(self, events: Sequence[dg.EventLogEntry]) -> None:
        """Store the events of one run, in one transaction of its database and one of the index."""
        if not (events := self.drop_unplanned(events)):
            return
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
