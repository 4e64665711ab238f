"""Dagster's event log with batches, wipes of single partitions, and quick answers for very many partitions.

This package alone builds on Dagster's internals, which a minor release may change; so pyproject.toml allows one minor,
and the linter bans them elsewhere. dagster.yaml names the storage of SQLite by this package. Modules of assets import
it when they run: it takes SQLAlchemy along.
"""

from idr_assets.orchestration.event_log.sqlite import BatchedSqliteEventLogStorage

__all__ = ["BatchedSqliteEventLogStorage"]
