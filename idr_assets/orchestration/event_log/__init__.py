"""Dagster's event log with batches, wipes of single partitions, and fast answers for very many partitions.

Only this package uses Dagster's internals, which a minor release may change: pyproject.toml allows one minor, and the
linter bans them elsewhere. dagster.yaml names the SQLite storage by this package. Assets import it only when they run,
because it imports SQLAlchemy.
"""

from idr_assets.orchestration.event_log.sqlite import BatchedSqliteEventLogStorage

__all__ = ["BatchedSqliteEventLogStorage"]
