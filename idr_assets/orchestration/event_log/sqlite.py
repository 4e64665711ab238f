"""Store Dagster's events in batches in SQLite, in the same files as Dagster's own storage."""

from collections.abc import Sequence
from contextlib import ExitStack, suppress

import dagster as dg
import sqlalchemy as db
from dagster._core.events import ASSET_CHECK_EVENTS, ASSET_EVENTS, EVENT_TYPE_TO_PIPELINE_RUN_STATUS
from dagster._core.storage.event_log.schema import SqlEventLogStorageTable

from idr_assets.orchestration.event_log.batches import EventBatches, Rows, insert_events, is_stored
from idr_assets.orchestration.event_log.instance_storage import InstanceSqliteEventLogStorage
from idr_assets.orchestration.event_log.run_ends import RunEnds
from idr_assets.orchestration.event_log.status import PartitionStatus
from idr_assets.orchestration.event_log.wipe import PartitionWipe

INDEXED = {*ASSET_EVENTS, *ASSET_CHECK_EVENTS, *EVENT_TYPE_TO_PIPELINE_RUN_STATUS}
"""Types of events that are in the index too."""


class BatchedSqliteEventLogStorage(
    RunEnds, EventBatches, PartitionStatus, PartitionWipe, InstanceSqliteEventLogStorage
):
    """Dagster's event log in SQLite, with batches and wipes of single partitions.

    Events go into the run's database, then into the index if that has events of their type. If the second step fails,
    the first is undone: Dagster then sends each event by itself, and none may be stored twice. A process killed between
    the two leaves events in the run's log that the index lacks: those planes count as missing, and are adopted.
    """

    def _store(self, events: Sequence[dg.EventLogEntry], rows: Rows, *, again: bool) -> None:
        run_id = events[0].run_id
        with self.run_connection(run_id) as connection:
            ids = [] if again and is_stored(connection, rows[0]) else insert_events(connection, rows)
        indexed = [pair for pair in zip(events, rows, strict=True) if pair[0].dagster_event_type in INDEXED]
        if indexed:
            with ExitStack() as undo:
                undo.callback(self._forget, run_id, ids)
                self._index(*zip(*indexed, strict=True), again=again)
                undo.pop_all()

    def _forget(self, run_id: str, ids: Sequence[int]) -> None:
        # If that fails too, the next try finds them.
        with suppress(db.exc.OperationalError), self.run_connection(run_id) as connection:
            of_batch = SqlEventLogStorageTable.c.id.between(ids[0], ids[-1]) if ids else db.false()  # they have no gap
            connection.execute(SqlEventLogStorageTable.delete().where(of_batch))
