"""Find out which partitions are done, failed or in progress: Dagster's answers in less time.

Dagster keeps the last answer with the asset and adds later events to it. It starts from nothing if nobody asked before,
or if the window changed: for half a million planes its own storage takes eleven seconds, and the UI waits. Therefore
runs ask too.
"""

from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any, override

import dagster as dg
import sqlalchemy as db
from dagster._core.definitions.partitions.utils.multi import MULTIPARTITION_KEY_DELIMITER
from dagster._core.loader import LoadingContext
from dagster._core.storage.event_log import SqlEventLogStorage
from dagster._core.storage.event_log.base import AssetEntry
from dagster._core.storage.event_log.schema import SqlEventLogStorageTable
from dagster._core.storage.partition_status_cache import (
    AssetStatusCacheValue,
    get_and_update_asset_status_cache_value,
)

type Partitioned = tuple[dg.AssetKey, dg.PartitionsDefinition | None]

MANY = 2000
"""Events of the instance since the last answer from which on a run asks again: there are two for each plane."""


class PartitionStatus(SqlEventLogStorage):
    """Answers what Dagster asks to count partitions, by the database where possible, and with plain keys."""

    @override
    def get_asset_status_cache_values(
        self, partitions_defs_by_key: Iterable[Partitioned], context: LoadingContext
    ) -> Sequence[AssetStatusCacheValue | None]:
        """Bring the status of assets up to date."""
        return super().get_asset_status_cache_values([(key, _plain(it)) for key, it in partitions_defs_by_key], context)

    @override
    def get_latest_asset_partition_materialization_attempts_without_materializations(
        self, asset_key: dg.AssetKey, after_storage_id: int | None = None
    ) -> Mapping[str, tuple[str, int]]:
        """Return the run and the id of each partition's last planned event, if no materialization follows it.

        Dagster's own query fetches two events of every partition; here the database leaves out what is done.
        """
        planned, later = SqlEventLogStorageTable, SqlEventLogStorageTable.alias("later")
        done = db.exists().where(_events(later, asset_key, "ASSET_MATERIALIZATION"))
        done = done.where(later.c.partition == planned.c.partition, later.c.id > planned.c.id)
        attempts = db.select(planned.c.partition, planned.c.run_id, planned.c.id).where(
            _events(planned, asset_key, "ASSET_MATERIALIZATION_PLANNED"), ~done
        )
        rows = self._found(attempts, asset_key, after=after_storage_id)
        return {row.partition: (row.run_id, row.id) for row in sorted(rows, key=attrgetter("id"))}

    @override
    def get_materialized_partitions(
        self, asset_key: dg.AssetKey, before_cursor: int | None = None, after_cursor: int | None = None
    ) -> set[str]:
        """Return the partitions that are materialized; Dagster's own query also fetches the last event of each."""
        events = SqlEventLogStorageTable
        query = db.select(events.c.partition).distinct().where(_events(events, asset_key, "ASSET_MATERIALIZATION"))
        if before_cursor:
            query = query.where(events.c.id < before_cursor)
        return {row[0] for row in self._found(query, asset_key, after=after_cursor)}

    def _found(self, query: db.Select[Any], asset_key: dg.AssetKey, *, after: int | None) -> Sequence[db.Row[Any]]:
        """Find events after an id and after the last wipe of the asset.

        With a sort by id, or after id 0, SQLite would choose an index without partitions and read every event.
        """
        if after:
            query = query.where(SqlEventLogStorageTable.c.id > after)
        query = self._add_assets_wipe_filter_to_query(query, self._get_assets_details([asset_key]), [asset_key])
        with self.index_connection() as connection:
            return connection.execute(query).all()


class PlainMultiPartitions(dg.MultiPartitionsDefinition):
    """The same partitions, with plain strings as keys."""

    @override
    def filter_valid_partition_keys(self, partition_keys: set[str]) -> set[str]:  # type: ignore[override]
        """Return the keys that are partitions; Dagster's own version creates an object for each key, which is slow."""
        first, second = (set(axis.partitions_def.get_partition_keys()) for axis in self.partitions_defs)
        cut = ((key, key.partition(MULTIPARTITION_KEY_DELIMITER)) for key in partition_keys)
        return {key for key, (start, mark, end) in cut if mark and start in first and end in second}


def add_to_kept_status(context: dg.AssetExecutionContext) -> None:
    """Update the cached status of a run's asset after many events, so that the UI need not.

    If the database refuses, the run goes on, because its planes are stored; a warning is logged.
    """
    partitions = _plain(context.assets_def.partitions_def)
    try:
        for record in context.instance.get_asset_records([context.asset_key]):
            if _lag(record.asset_entry, partitions) > MANY:
                get_and_update_asset_status_cache_value(context.instance, context.asset_key, partitions)
    except db.exc.SQLAlchemyError as error:
        context.log.warning("The status of partitions was not updated, so the UI will have to do it: %s", error)


def _lag(entry: AssetEntry, partitions: dg.PartitionsDefinition | None) -> int:
    """Count the events since the last answer; all of them if there is none, or if it is of other partitions."""
    kept, last = entry.cached_status, entry.last_materialization_storage_id or 0
    same = kept and partitions and kept.partitions_def_id == partitions.get_serializable_unique_identifier()
    return last - kept.latest_storage_id if kept and same else last


def _plain(partitions: dg.PartitionsDefinition | None) -> dg.PartitionsDefinition | None:
    """Return the same partitions with plain keys, if all keys of each axis are known."""
    if not isinstance(partitions, dg.MultiPartitionsDefinition):
        return partitions
    axes = {axis.name: axis.partitions_def for axis in partitions.partitions_defs}
    fixed = all(isinstance(axis, dg.StaticPartitionsDefinition) for axis in axes.values())
    return PlainMultiPartitions(axes) if fixed else partitions


def _events(table: db.FromClause, asset_key: dg.AssetKey, type_: str) -> db.ColumnElement[bool]:
    """Select the events of an asset's partitions; the table's index has all of these columns and answers alone."""
    of_asset = table.c.asset_key == asset_key.to_string()
    return db.and_(of_asset, table.c.dagster_event_type == type_, table.c.partition.is_not(None))
