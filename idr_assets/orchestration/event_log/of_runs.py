"""What the process of a run needs beside storing events: to read while the database is away, and to lock it."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any

import dagster as dg

from idr_assets.orchestration.event_log.batches import EventBatches

READS = ("get_", "fetch_", "has_")
"""Start of the names of a storage's methods that only read."""


def read_again(instance: dg.DagsterInstance) -> None:
    """Let reads of an instance be tried again in this process, as events are; the UI would rather have an error."""
    events: Any = instance.event_log_storage
    for storage in (events, instance.run_storage) if isinstance(events, EventBatches) else ():
        for name in dir(storage):
            if name.startswith(READS) and name not in vars(storage) and callable(getattr(type(storage), name)):
                setattr(storage, name, partial(_read, events, getattr(storage, name)))


def has_given_up(instance: dg.DagsterInstance) -> bool:
    """Return whether the event log of an instance has taken no event for as long as they are tried again."""
    storage = instance.event_log_storage
    return isinstance(storage, EventBatches) and storage.outage.gave_up


def lock_in_database(instance: dg.DagsterInstance, name: str) -> AbstractContextManager[None]:
    """Keep other processes from a name that use the database of an instance by another home."""
    storage: Any = instance.event_log_storage
    return storage.lock(name) if hasattr(storage, "lock") else nullcontext()  # SQLite's has one home


def _read(events: EventBatches, read: Callable[..., Any], *args: Any, **arguments: Any) -> Any:  # noqa: ANN401  as it is
    if events.is_within_batch:  # its transaction is lost with its connection
        return read(*args, **arguments)
    return events.outage.keep_trying(lambda _: read(*args, **arguments))
