"""What takes the place of batches where Dagster's internals are not those that this package knows: its public ways."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import dagster as dg

from idr_assets.orchestration.event_log.instance_storage import (
    InstanceSqliteEventLogStorage as BatchedSqliteEventLogStorage,  # the name in dagster.yaml
)

__all__ = [
    "BatchedSqliteEventLogStorage",
    "add_partition_metadata",
    "add_to_kept_status",
    "has_given_up",
    "lock_in_database",
    "makes_scattered",
    "read_again",
    "report_materializations",
    "tell_partitions",
    "withhold_events",
]


EXTERNALLY_MANAGED = "dagster/defer_asset_events"
"""Tag of runs whose events are written elsewhere."""


def add_partition_metadata(context: dg.AssetExecutionContext, metadata: Mapping[str, Mapping[str, Any]]) -> None:
    """Attach metadata to partitions of the run, by partition key."""
    for key, values in metadata.items():
        context.add_asset_metadata(values, partition_key=key)


def tell_partitions(context: dg.AssetExecutionContext, events: Iterable[dg.AssetMaterialization]) -> None:
    """Store materializations of the run's asset; the partitions count at once."""
    for event in events:
        context.log_event(event)


@contextmanager
def withhold_events(context: dg.AssetExecutionContext) -> Iterator[None]:
    """Keep Dagster from writing events for partitions that are told, if it still knows the tag for that."""
    tags: Any = context.run.tags
    tags[EXTERNALLY_MANAGED] = "true"
    try:
        yield
    finally:
        del tags[EXTERNALLY_MANAGED]


def has_given_up(_: dg.DagsterInstance) -> bool:
    """Say that no event is tried again."""
    return False


def lock_in_database(_instance: dg.DagsterInstance, _name: str) -> AbstractContextManager[None]:
    """Lock nothing: processes of other homes are not known."""
    return nullcontext()


def makes_scattered(_: dg.DagsterInstance) -> bool:
    """Say that a run makes all planes of its range."""
    return False


def read_again(_: dg.DagsterInstance) -> None:
    """Leave it to Dagster what is tried again."""


def report_materializations(instance: dg.DagsterInstance, events: Iterable[dg.AssetMaterialization]) -> None:
    """Report materializations that no run made."""
    for event in events:
        instance.report_runless_asset_event(event)


def add_to_kept_status(_: dg.AssetExecutionContext) -> None:
    """Leave it to the UI to find the status of partitions."""
