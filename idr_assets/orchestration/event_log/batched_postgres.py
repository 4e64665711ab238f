"""Store Dagster's events in batches in PostgreSQL.

Dagster's own storage batches materializations, but writes planned events one by one if there are checks among them.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, Self

import sqlalchemy as db
from dagster._core.storage.event_log.schema import SqlEventLogStorageTable
from dagster._serdes import ConfigurableClassData
from dagster_postgres import PostgresEventLogStorage
from dagster_postgres.utils import get_token_provider_from_config, pg_url_from_config
from sqlalchemy.engine import Connection

from idr_assets.orchestration.event_log.batches import EventBatches
from idr_assets.orchestration.event_log.run_ends import RunEnds
from idr_assets.orchestration.event_log.status import PartitionStatus
from idr_assets.orchestration.event_log.wipe import PartitionWipe


class BatchedPostgresEventLogStorage(RunEnds, EventBatches, PartitionStatus, PartitionWipe, PostgresEventLogStorage):
    """Dagster's event log in PostgreSQL, with the same settings, and each batch in one transaction."""

    # One table is index and log of runs. Assets are found by these columns; logs read the event itself.
    unlisted = SqlEventLogStorageTable.update().values(asset_key=None, partition=None)

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]) -> Self:
        """Create the storage that dagster.yaml names."""
        return cls(
            postgres_url=pg_url_from_config(config_value),
            should_autocreate_tables=config_value.get("should_autocreate_tables", True),
            inst_data=inst_data,
            token_provider=get_token_provider_from_config(config_value),
        )

    @contextmanager
    def lock(self, name: str) -> Iterator[None]:
        """Keep other processes from a name, whatever their home; by a transaction, since poolers share sessions."""
        connection = self.outage.keep_trying(lambda _: self._begin_locked(name))
        try:
            yield
        finally:
            with suppress(db.exc.DBAPIError):  # it was cut meanwhile, which releases the lock
                connection.close()

    def _begin_locked(self, name: str) -> Connection:
        connection = self._engine.connect().execution_options(isolation_level="READ COMMITTED")
        connection.execute(db.select(db.func.pg_advisory_xact_lock(db.func.hashtextextended(name, 0))))
        return connection
