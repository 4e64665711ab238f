"""Dagster's event log in PostgreSQL; a module of its own, because dagster-postgres is an extra."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._serdes import ConfigurableClassData
from dagster_postgres import PostgresEventLogStorage

from idr_assets.orchestration.event_log.instance_storage import time_partitions
from idr_assets.orchestration.event_log.internals import are_known

if TYPE_CHECKING or (are_known(SqliteEventLogStorage) and are_known(PostgresEventLogStorage)):
    from idr_assets.orchestration.event_log.batched_postgres import BatchedPostgresEventLogStorage
else:

    class BatchedPostgresEventLogStorage(PostgresEventLogStorage):
        """Dagster's event log in PostgreSQL, under the name in dagster.yaml."""

        @classmethod
        def from_config_value(
            cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
        ) -> PostgresEventLogStorage:
            """Create the storage that dagster.yaml names."""
            time_partitions()
            return super().from_config_value(inst_data, config_value)


__all__ = ["BatchedPostgresEventLogStorage"]
