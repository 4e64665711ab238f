"""What takes the place of batches where Dagster's internals are not those that this package knows: its public ways."""

from collections.abc import Iterable, Mapping
from typing import Any

import dagster as dg

from idr_assets.orchestration.event_log.instance_storage import (
    InstanceSqliteEventLogStorage as BatchedSqliteEventLogStorage,  # the name in dagster.yaml
)

__all__ = ["BatchedSqliteEventLogStorage", "add_partition_metadata", "add_to_kept_status", "report_materializations"]


def add_partition_metadata(context: dg.AssetExecutionContext, metadata: Mapping[str, Mapping[str, Any]]) -> None:
    """Attach metadata to partitions of the run, by partition key."""
    for key, values in metadata.items():
        context.add_asset_metadata(values, partition_key=key)


def report_materializations(instance: dg.DagsterInstance, events: Iterable[dg.AssetMaterialization]) -> None:
    """Report materializations that no run made."""
    for event in events:
        instance.report_runless_asset_event(event)


def add_to_kept_status(_: dg.AssetExecutionContext) -> None:
    """Leave it to the UI to find the status of partitions."""
