"""The queue in which runs wait for the store that they read from, named by `dagster.yaml`."""

from typing import Any

import dagster as dg


class BoundedRunCoordinator(dg.QueuedRunCoordinator):
    """Dagster's queue, of which also the first runs of a pool keep to the pool's limit.

    Dagster gives a pool its default limit only after it let go those runs that waited first: the first backfill
    of an instance would read from a store with ten runs at once.
    """

    def submit_run(self, context: Any) -> dg.DagsterRun:  # noqa: ANN401  Dagster does not export its type
        """Put a run into the queue, once its pools have limits; those that were set stay."""
        storage, needed = self._instance.event_log_storage, context.dagster_run.run_op_concurrency
        limited = {limit.name for limit in storage.get_pool_limits()}
        for pool in set(needed.all_pools or () if needed else ()) - limited:
            storage.initialize_concurrency_limit_to_default(pool)
        return super().submit_run(context)
