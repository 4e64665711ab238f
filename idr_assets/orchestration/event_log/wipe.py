"""Remove single partitions of an asset, or everything that a run reported, from the index."""

from collections.abc import Sequence

import dagster as dg
import sqlalchemy as db
from dagster._core.events import ASSET_EVENTS
from dagster._core.storage.event_log import SqlEventLogStorage
from dagster._core.storage.event_log.schema import AssetEventTagsTable, AssetKeyTable, SqlEventLogStorageTable
from dagster._serdes import serialize_value
from sqlalchemy.sql.dml import Delete, Update


class PartitionWipe(SqlEventLogStorage):
    """Wipes partitions, and keeps the logs of runs."""

    unlisted: Update | Delete = SqlEventLogStorageTable.delete()
    """Statement that removes events from the index: it deletes them if the logs of runs are kept elsewhere."""

    def wipe_asset_partitions(self, asset_key: dg.AssetKey, partition_keys: Sequence[str]) -> None:
        """Remove planned events, materializations and observations of partitions from the index; outputs stay."""
        events, tags = SqlEventLogStorageTable, AssetEventTagsTable
        of_partition = db.and_(
            events.c.asset_key == asset_key.to_string(),
            events.c.dagster_event_type == db.bindparam("wiped_type"),  # the table's index has it before the partition
            events.c.partition == db.bindparam("wiped"),
        )
        wiped = [{"wiped": key, "wiped_type": type_.value} for key in partition_keys for type_ in ASSET_EVENTS]
        with self.index_transaction() as connection:
            ids = db.select(events.c.id).where(of_partition)
            connection.execute(tags.delete().where(tags.c.event_id.in_(ids)), wiped)
            connection.execute(self.unlisted.where(of_partition), wiped)
        self._remember(asset_key)

    def delete_events(self, run_id: str) -> None:
        """Delete the events of a run, so that none of its partitions counts as done.

        Older materializations of them leave the index too, since they tell of outputs that the run has overwritten. If
        the run had begun, so do those of partitions that it planned, since it may have stored planes without telling.
        What Dagster caches for each asset is updated.
        """
        events = SqlEventLogStorageTable
        of_run = (
            db.select(events.c.asset_key).distinct().where(events.c.run_id == run_id, events.c.asset_key.is_not(None))
        )
        with self.index_connection() as connection:
            told = connection.execute(of_run).scalars().all()
        self._forget_overwritten(run_id)
        super().delete_events(run_id)
        for asset_key in filter(None, map(dg.AssetKey.from_db_string, told)):
            self._remember(asset_key)

    def _forget_overwritten(self, run_id: str) -> None:
        """Remove from the index what is older than a run's events of the same partition."""
        events, newer = SqlEventLogStorageTable, SqlEventLogStorageTable.alias("newer")
        told, planned = dg.DagsterEventType.ASSET_MATERIALIZATION, dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED
        begun = self.get_logs_for_run(run_id, of_type=dg.DagsterEventType.STEP_START, limit=1)
        types = [told.value, *([planned.value] if begun else [])]
        same = [events.c[name] == newer.c[name] for name in ("asset_key", "partition")]
        overwritten = db.select(events.c.id).where(
            newer.c.run_id == run_id,
            newer.c.dagster_event_type.in_(types),
            events.c.dagster_event_type == told.value,
            *same,
            events.c.id < newer.c.id,
        )
        with self.index_transaction() as connection:
            found = [{"old": id_} for id_ in connection.execute(overwritten).scalars()]
            if found:
                connection.execute(
                    AssetEventTagsTable.delete().where(AssetEventTagsTable.c.event_id == db.bindparam("old")), found
                )
                connection.execute(self.unlisted.where(events.c.id == db.bindparam("old")), found)

    def _remember(self, asset_key: dg.AssetKey) -> None:
        """Update what Dagster caches for an asset."""
        self._remember_last(asset_key)
        self.wipe_asset_cached_status(asset_key)

    def _remember_last(self, asset_key: dg.AssetKey) -> None:
        """Store the last remaining materialization in the asset's row, from which Dagster answers."""
        left = self.fetch_materializations(asset_key, limit=1).records
        last = AssetKeyTable.update().where(AssetKeyTable.c.asset_key == asset_key.to_string())
        with self.index_connection() as connection:
            connection.execute(last.values(last_materialization=serialize_value(left[0]) if left else None))
