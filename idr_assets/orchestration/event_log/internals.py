"""Look whether Dagster's internals are those that this package builds on: a release may change them.

What is compared could go wrong unnoticed: what a storage does for one event, since a batch does it for many; the
parameters of what is called or replaced; columns. Names that are gone show when modules of this package are imported.
"""

from collections.abc import Iterable, Iterator
from functools import cache
from importlib import import_module
from importlib.metadata import version
from inspect import signature
from logging import getLogger
from pkgutil import resolve_name
from typing import Any

MODULES = ("partition_metadata", "reported_at_once", "sqlite", "status", "told_partitions")
"""Modules of this package that import internals."""

_EVERY = "_store_asset_event _store_asset_event_tags index_transaction prepare_insert_event store_asset_check_event"
STEPS = {
    "SqliteEventLogStorage": f"{_EVERY} index_connection run_connection",
    "PostgresEventLogStorage": f"{_EVERY} _connect",
}
"""Methods of a storage that its `store_event` calls."""

METHODS = {
    "_add_assets_wipe_filter_to_query": "self query assets_details asset_keys",
    "_event_to_row": "self event",
    "_get_assets_details": "self asset_keys",
    "_store_asset_event": "self conn event event_id",
    "_store_asset_event_tags": "self conn events event_ids",
    "delete_events": "self run_id",
    "get_asset_status_cache_values": "self partitions_defs_by_key context",
    "get_latest_asset_partition_materialization_attempts_without_materializations": "self asset_key after_storage_id",
    "get_materialized_partitions": "self asset_key before_cursor after_cursor",
    "index_connection": "self",
    "index_transaction": "self",
    "register_instance": "self instance",
    "run_connection": "self run_id",
    "store_asset_check_event": "self event event_id",
    "store_event": "self event",
    "store_event_batch": "self events",
    "wipe_asset_cached_status": "self asset_key",
    "wipe_asset_partitions": "self asset_key partition_keys",
}
"""Methods of a storage with their parameters."""

OTHERS = {
    "events:DagsterEvent.__new__": "cls event_type_value job_name step_handle node_handle step_kind_value logging_tags "
    "event_specific_data message pid step_key",
    "events:DagsterEventBatchMetadata": "id is_end",
    "execution.context.metadata_logging:AssetMetadataHandle": "asset_key partition_key",
    "execution.context.metadata_logging:OutputMetadataAccumulator": "per_output_metadata",
    "instance.methods.event_methods:EventMethods.handle_new_event": "self event batch_metadata",
    "storage.event_log.schema:AssetEventTagsTable": "id event_id asset_key key value event_timestamp",
    "storage.event_log.schema:AssetKeyTable": "id asset_key last_materialization last_run_id asset_details "
    "wipe_timestamp last_materialization_timestamp tags create_timestamp cached_status_data",
    "storage.event_log.schema:SqlEventLogStorageTable": "id run_id event dagster_event_type timestamp step_key "
    "asset_key partition",
    "storage.partition_status_cache:get_and_update_asset_status_cache_value": "instance asset_key partitions_def "
    "dynamic_partitions_loader loading_context",
}
"""Functions below `dagster._core` with their parameters, classes with their fields, and tables with their columns."""

ATTRIBUTES = (
    "storage.event_log.base:AssetEntry.cached_status",
    "storage.event_log.base:AssetEntry.last_materialization_storage_id",
    "storage.partition_status_cache:AssetStatusCacheValue.latest_storage_id",
    "storage.partition_status_cache:AssetStatusCacheValue.partitions_def_id",
)
"""What is read of classes below `dagster._core`."""


@cache
def are_known(storage: type) -> bool:
    """Return whether the internals of Dagster's own `storage` are known; if not, one line of the log says so."""
    found = next(differences(storage), None)
    if found:
        getLogger(__name__).warning(
            "Dagster %s works in another way than idr_assets knows (%s). Dagster's own event log is used: the results "
            "are the same, but many planes take longer, and single planes cannot be wiped.",
            version("dagster"),
            found,
        )
    return found is None


def differences(storage: type) -> Iterator[str]:
    """Name what differs between the internals of `storage` and those that are known."""
    try:
        for module in MODULES:
            import_module(f"{__package__}.{module}")
        yield from _changes(storage)
    except (ImportError, AttributeError) as error:
        yield str(error)


def _changes(storage: Any) -> Iterator[str]:  # noqa: ANN401  a class with attributes that mypy does not know
    steps = {name for name in storage.store_event.__code__.co_names if callable(getattr(storage, name, None))}
    yield from _change(f"{storage.__name__}.store_event", steps, set(STEPS[storage.__name__].split()))
    for name, known in METHODS.items():
        yield from _change(f"{storage.__name__}.{name}", [*signature(getattr(storage, name)).parameters], known.split())
    for name, known in OTHERS.items():
        found = resolve_name(f"dagster._core.{name}")
        yield from _change(name, [*_parts(found)], known.split())
    for name in ATTRIBUTES:
        resolve_name(f"dagster._core.{name}")
    step = resolve_name("dagster._core.execution.context.system:StepExecutionContext")
    yield from _change("metadata of a step", "_metadata_accumulator" in step.__init__.__code__.co_names, known=True)


def _parts(found: Any) -> Iterable[str]:  # noqa: ANN401  a table, a class or a function
    if isinstance(found, type):
        return found.__annotations__
    return found.columns.keys() if hasattr(found, "columns") else signature(found).parameters


def _change(name: str, found: object, known: object) -> Iterator[str]:
    if found != known:
        yield f"{name}: {found} in place of {known}"
