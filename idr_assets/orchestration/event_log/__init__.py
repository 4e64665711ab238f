"""Dagster's event log with batches, wipes of single partitions, and fast answers for very many partitions.

Only this package uses Dagster's internals, which a release may change; the linter bans them elsewhere. It looks at them
first: where they are not those that it knows, `plain` takes their place, with the same results, slower. dagster.yaml
names the SQLite storage by this package. Assets import it only when they run, because it imports SQLAlchemy.
"""

from typing import TYPE_CHECKING

from dagster._core.storage.event_log import SqliteEventLogStorage

from idr_assets.orchestration.event_log.internals import are_known
from idr_assets.orchestration.event_log.told_records import find_unevaluated, read_told_partitions

if TYPE_CHECKING or are_known(SqliteEventLogStorage):
    from idr_assets.orchestration.event_log.of_runs import has_given_up, lock_in_database, read_again
    from idr_assets.orchestration.event_log.partition_metadata import add_partition_metadata
    from idr_assets.orchestration.event_log.planned import makes_scattered
    from idr_assets.orchestration.event_log.reported_at_once import report_materializations
    from idr_assets.orchestration.event_log.sqlite import BatchedSqliteEventLogStorage
    from idr_assets.orchestration.event_log.status import add_to_kept_status
    from idr_assets.orchestration.event_log.told_partitions import tell_partitions, withhold_events
else:
    from idr_assets.orchestration.event_log.plain import (
        BatchedSqliteEventLogStorage,
        add_partition_metadata,
        add_to_kept_status,
        has_given_up,
        lock_in_database,
        makes_scattered,
        read_again,
        report_materializations,
        tell_partitions,
        withhold_events,
    )

__all__ = [
    "BatchedSqliteEventLogStorage",
    "add_partition_metadata",
    "add_to_kept_status",
    "find_unevaluated",
    "has_given_up",
    "lock_in_database",
    "makes_scattered",
    "read_again",
    "read_told_partitions",
    "report_materializations",
    "tell_partitions",
    "withhold_events",
]
