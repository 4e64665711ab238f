"""Tell which partitions are done, failed or in progress: Dagster's answers, in less time.

Dagster keeps the answer beside the asset, and adds to it what came since. It begins from nothing where nobody asked
before, or where the window changed: its own storage takes eleven seconds for half a million planes, and the UI waits.
So runs ask, too.
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
"""Events of the instance since the kept answer, above which a run adds those of its asset: two for each plane."""


class PartitionStatus(SqlEventLogStorage):
    """Answers what Dagster asks when it counts partitions: in the database where it can, and with plain keys."""

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
        """Give the last planned event of each partition that no materialization follows: its run and its id.

        Dagster's own query gets two events of every partition; here the database leaves out what is done.
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
        """Give the partitions that are materialized; Dagster's own query gets the last event of each, too."""
        events = SqlEventLogStorageTable
        query = db.select(events.c.partition).distinct().where(_events(events, asset_key, "ASSET_MATERIALIZATION"))
        if before_cursor:
            query = query.where(events.c.id < before_cursor)
        return {row[0] for row in self._found(query, asset_key, after=after_cursor)}

    def _found(self, query: db.Select[Any], asset_key: dg.AssetKey, *, after: int | None) -> Sequence[db.Row[Any]]:
        """Find events that came after another, and after the asset was wiped.

        Sorted by id, or after id 0, SQLite would choose an index without partitions, and read every event.
        """
        if after:
            query = query.where(SqlEventLogStorageTable.c.id > after)
        query = self._add_assets_wipe_filter_to_query(query, self._get_assets_details([asset_key]), [asset_key])
        with self.index_connection() as connection:
            return connection.execute(query).all()


class PlainMultiPartitions(dg.MultiPartitionsDefinition):
    """The same partitions, whose keys are plain strings when they are looked through."""

    @override
    def filter_valid_partition_keys(self, partition_keys: set[str]) -> set[str]:  # type: ignore[override]
        """Keep the keys that are partitions; Dagster's own makes objects of all, which takes most of the time."""
        first, second = (set(axis.partitions_def.get_partition_keys()) for axis in self.partitions_defs)
        cut = ((key, key.partition(MULTIPARTITION_KEY_DELIMITER)) for key in partition_keys)
        return {key for key, (start, mark, end) in cut if mark and start in first and end in second}


def add_to_kept_status(context: dg.AssetExecutionContext) -> None:
    """Add to the kept answer of a run's asset what came since, where that is much: the UI then need not.

    A database that refuses does not fail the run, whose planes are stored; the log tells it.
    """
    partitions = _plain(context.assets_def.partitions_def)
    try:
        for record in context.instance.get_asset_records([context.asset_key]):
            if _lag(record.asset_entry, partitions) > MANY:
                get_and_update_asset_status_cache_value(context.instance, context.asset_key, partitions)
    except db.exc.SQLAlchemyError as error:
        context.log.warning("The status of partitions was not brought up to date, so the UI will have to: %s", error)


def _lag(entry: AssetEntry, partitions: dg.PartitionsDefinition | None) -> int:
    """Count the events since the kept answer; all of them where it is of other partitions, or there is none."""
    kept, last = entry.cached_status, entry.last_materialization_storage_id or 0
    same = kept and partitions and kept.partitions_def_id == partitions.get_serializable_unique_identifier()
    return last - kept.latest_storage_id if kept and same else last


def _plain(partitions: dg.PartitionsDefinition | None) -> dg.PartitionsDefinition | None:
    """Give the same partitions with plain keys, where all keys of each axis are known."""
    if not isinstance(partitions, dg.MultiPartitionsDefinition):
        return partitions
    axes = {axis.name: axis.partitions_def for axis in partitions.partitions_defs}
    fixed = all(isinstance(axis, dg.StaticPartitionsDefinition) for axis in axes.values())
    return PlainMultiPartitions(axes) if fixed else partitions


def _events(table: db.FromClause, asset_key: dg.AssetKey, type_: str) -> db.ColumnElement[bool]:
    """Say which rows are events of an asset's partitions: in the words of the table's index, which answers alone."""
    of_asset = table.c.asset_key == asset_key.to_string()
    return db.and_(of_asset, table.c.dagster_event_type == type_, table.c.partition.is_not(None))
