"""Store Dagster's events in batches: one transaction per database instead of one per event.

SQLite and PostgreSQL share this. It decides how events are stored, never what they say.
"""

import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import dagster as dg
import sqlalchemy as db
from dagster._core.events import ASSET_CHECK_EVENTS, ASSET_EVENTS
from dagster._core.storage.event_log.schema import SqlEventLogStorageTable
from sqlalchemy.engine import Connection

from idr_assets.orchestration.event_log.instance_storage import time_partitions
from idr_assets.orchestration.event_log.outage import Outage, read_seconds
from idr_assets.orchestration.event_log.planned import ScatteredPlans

type Rows = Sequence[Mapping[str, Any]]
"""Events as the rows of a table."""

type Stored = list[tuple[dg.EventLogEntry, int]]
"""Events with their ids in the index."""

BATCH_SIZE = 1000
"""Events in a batch, unless DAGSTER_EVENT_BATCH_SIZE says otherwise; 0 there turns batches off."""


class EventBatches(ScatteredPlans):
    """The shared part of both storages: events enter the index in one transaction, completely or not at all.

    The index is the database in which Dagster looks for assets. The rows are those that Dagster's own storage writes.
    While the database is away, events are tried again; none is stored twice.
    """

    def __init__(self, *args: Any, **arguments: Any) -> None:  # noqa: ANN401  whatever the storage takes
        """Create the storage; each thread has its own batch, because a connection belongs to one thread."""
        self._batch = threading.local()
        self.outage = Outage()
        super().__init__(*args, **arguments)  # type: ignore[no-untyped-call]

    def register_instance(self, instance: dg.DagsterInstance) -> None:
        """Serve an instance, and set the batch size for its process.

        Dagster reads it from the environment. It is set here for every process that opens the instance: the UI and the
        daemon send planned events, and import no definitions.

        Raises
        ------
        ValueError
            If DAGSTER_EVENT_BATCH_SIZE is not a whole number, or IDR_ASSETS_EVENT_SECONDS no number.

        """
        os.environ["DAGSTER_EVENT_BATCH_SIZE"] = _batch_size(os.environ.get("DAGSTER_EVENT_BATCH_SIZE", ""))
        read_seconds()
        time_partitions()
        super().register_instance(instance)

    def store_event(self, event: dg.EventLogEntry) -> None:
        """Store one event."""
        self.store_event_batch([event])

    def store_event_batch(self, events: Sequence[dg.EventLogEntry]) -> None:
        """Store events of one run, and try again while the database is away."""
        self._guard_states_of_runs()
        self.outage.keep_trying(partial(self._try_to_store, events))

    def _try_to_store(self, events: Sequence[dg.EventLogEntry], again: bool) -> None:  # noqa: FBT001  of `keep_trying`
        if kept := self.drop_unplanned(events):
            self._store(kept, [self._event_to_row(event) for event in kept], again=again)

    def _store(self, events: Sequence[dg.EventLogEntry], rows: Rows, *, again: bool) -> None:
        """Store events once; where they may be stored already, because they were tried before, look first."""
        self._index(events, rows, again=again)

    def _guard_states_of_runs(self) -> None:
        """Let the storage of runs try again too: the state of a run changes right after its event is stored."""
        runs: Any = self._instance.run_storage
        if "handle_run_event" not in vars(runs):
            change = runs.handle_run_event
            runs.handle_run_event = lambda *event: self.outage.keep_trying(lambda _: change(*event))

    def _index(self, events: Sequence[dg.EventLogEntry], rows: Rows, *, again: bool) -> None:
        with self._batch_transaction() as connection:
            if again and is_stored(connection, rows[0]):
                return
            stored = list(zip(events, insert_events(connection, rows), strict=True))
            of_assets = [(event, id_) for event, id_ in stored if event.dagster_event_type in ASSET_EVENTS]
            self._store_asset_event_tags(connection, [event for event, _ in of_assets], [id_ for _, id_ in of_assets])
            for event, id_ in _last(of_assets):
                self._store_asset_event(connection, event, id_)
            for event, id_ in stored:
                if event.dagster_event_type in ASSET_CHECK_EVENTS:
                    self.store_asset_check_event(event, id_)

    @property
    def is_within_batch(self) -> bool:
        """Whether this thread is storing a batch."""
        return hasattr(self._batch, "connection")

    @contextmanager
    def index_connection(self) -> Iterator[Connection]:
        """Provide a connection to the index, within a batch that of its transaction."""
        if self.is_within_batch:
            yield self._batch.connection
            return
        with super().index_connection() as connection:  # type: ignore[safe-super]  # the storage's own
            yield connection

    @contextmanager
    def _batch_transaction(self) -> Iterator[Connection]:
        with self.index_transaction() as connection:
            self._batch.connection = connection
            try:
                yield connection
            finally:
                del self._batch.connection


def _batch_size(said: str) -> str:
    try:
        return str(int(said or BATCH_SIZE))
    except ValueError:
        message = (
            f"DAGSTER_EVENT_BATCH_SIZE is {said!r}, so no event can be stored. Set it to a whole number such as "
            f"{BATCH_SIZE}, to 0 to store each event by itself, or unset it."
        )
        raise ValueError(message) from None


def insert_events(connection: Connection, rows: Rows) -> list[int]:
    """Insert events and return their ids, in the order of the events."""
    table = SqlEventLogStorageTable
    statement = table.insert().returning(table.c.id, sort_by_parameter_order=True)
    return list(connection.execute(statement, rows).scalars())


def is_stored(connection: Connection, row: Mapping[str, Any]) -> bool:
    """Return whether an event is stored, and with it all events of its transaction."""
    same = [SqlEventLogStorageTable.c[name] == row[name] for name in ("run_id", "timestamp", "event")]
    return connection.execute(db.select(db.exists().where(*same))).scalar_one()


def _last(stored: Stored) -> Stored:
    """Return the last event of each asset and type: an asset's row keeps nothing of earlier ones."""
    last = {(event.get_dagster_event().asset_key, event.dagster_event_type): (event, id_) for event, id_ in stored}
    return sorted(last.values(), key=lambda pair: pair[1])
