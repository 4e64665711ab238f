"""Store Dagster's events in batches: one transaction for each database, not one for each event.

Here belongs what SQLite and PostgreSQL share: how events are stored, never what they say.
"""

import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import dagster as dg
from dagster._core.events import ASSET_CHECK_EVENTS, ASSET_EVENTS
from dagster._core.storage.event_log import SqlEventLogStorage
from dagster._core.storage.event_log.schema import SqlEventLogStorageTable
from sqlalchemy.engine import Connection

type Rows = Sequence[Mapping[str, Any]]
"""Events as the rows of a table."""

type Stored = list[tuple[dg.EventLogEntry, int]]
"""Events, each with its id in the index."""

BATCH_SIZE = 1000
"""Events in a batch, unless DAGSTER_EVENT_BATCH_SIZE says otherwise; 0 there turns batches off."""

TIMED_PARTITIONS = 10_000
"""Partitions that changed between two looks of the daemon whose times it asks for, where Dagster's own bound is 100:
beyond it, labels count as newer than figures of the same run, and these are drawn again. A thousand take half a second.
"""


class EventBatches(SqlEventLogStorage):
    """What the storages of SQLite and PostgreSQL share: a batch enters the index in one transaction.

    The index is the database in which Dagster looks for assets. A batch is whole in it or not there at all, and its
    rows are those that Dagster's own storage writes for each event.
    """

    def __init__(self, *args: Any, **arguments: Any) -> None:  # noqa: ANN401  whatever the storage takes
        """Make the storage; its batch is that of a thread, since a connection belongs to the thread that opened it."""
        self._batch = threading.local()
        super().__init__(*args, **arguments)  # type: ignore[no-untyped-call]

    def register_instance(self, instance: dg.DagsterInstance) -> None:
        """Serve an instance, have its process send events in batches, and ask for the times of many partitions.

        Dagster reads both from the environment, where they are needed. Here they hold in every process that opens the
        instance: planned events of a run are sent by the UI or the daemon, which import no definitions.
        Raises ValueError where DAGSTER_EVENT_BATCH_SIZE is no whole number.
        """
        os.environ["DAGSTER_EVENT_BATCH_SIZE"] = _batch_size(os.environ.get("DAGSTER_EVENT_BATCH_SIZE", ""))
        os.environ.setdefault("DAGSTER_MAX_PARTITIONS_FOR_DA_TIMESTAMP_FETCH", str(TIMED_PARTITIONS))
        super().register_instance(instance)

    def store_event_batch(self, events: Sequence[dg.EventLogEntry]) -> None:
        """Store events of the types that Dagster sends in batches: planned ones, materializations, observations."""
        self._index(events, [self._event_to_row(event) for event in events])

    def _index(self, events: Sequence[dg.EventLogEntry], rows: Rows) -> None:
        with self._batch_transaction() as connection:
            stored = list(zip(events, inserted(connection, rows), strict=True))
            of_assets = [(event, id_) for event, id_ in stored if event.dagster_event_type in ASSET_EVENTS]
            self._store_asset_event_tags(connection, [event for event, _ in of_assets], [id_ for _, id_ in of_assets])
            for event, id_ in _last(of_assets):
                self._store_asset_event(connection, event, id_)
            for event, id_ in stored:
                if event.dagster_event_type in ASSET_CHECK_EVENTS:
                    self.store_asset_check_event(event, id_)

    @contextmanager
    def index_connection(self) -> Iterator[Connection]:
        """Give a connection to the index; what stores a part of a batch joins the batch's transaction."""
        joined = getattr(self._batch, "connection", None)
        if joined is not None:
            yield joined
        else:
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
            f"DAGSTER_EVENT_BATCH_SIZE is {said!r}, so that no event can be stored. Write a whole number such as "
            f"{BATCH_SIZE}, 0 to store each event by itself, or unset it."
        )
        raise ValueError(message) from None


def inserted(connection: Connection, rows: Rows) -> list[int]:
    """Insert events and give their ids, in the order of the events."""
    table = SqlEventLogStorageTable
    statement = table.insert().returning(table.c.id, sort_by_parameter_order=True)
    return list(connection.execute(statement, rows).scalars())


def _last(stored: Stored) -> Stored:
    """Give the last event of each asset and type: an asset's row keeps nothing of those before."""
    last = {(event.get_dagster_event().asset_key, event.dagster_event_type): (event, id_) for event, id_ in stored}
    return sorted(last.values(), key=lambda pair: pair[1])
