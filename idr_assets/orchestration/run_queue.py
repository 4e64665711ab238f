"""The queue in which runs wait for their store; `dagster.yaml` names it."""

from contextlib import suppress
from logging import getLogger
from typing import Any

import dagster as dg


class BoundedRunCoordinator(dg.QueuedRunCoordinator):
    """Dagster's queue, with the pool's limit also for the first runs of a pool.

    Dagster gives a pool its default limit only after its first runs have left the queue: the first backfill of an
    instance would read from a store with ten runs at once.
    """

    def __init__(self, *args: Any, **arguments: Any) -> None:  # noqa: ANN401  as the queue takes them
        """Create the queue, which the daemon does at its start."""
        super().__init__(*args, **arguments)
        with suppress(ImportError):  # of internals that a release has moved
            from idr_assets.orchestration.event_log.job_backfills import find_runs_of_ranges  # noqa: PLC0415

            find_runs_of_ranges()

    def submit_run(self, context: Any) -> dg.DagsterRun:  # noqa: ANN401  Dagster does not export its type
        """Put a run into the queue after its pools have limits; existing limits stay."""
        try:
            self._limit_pools(context.dagster_run)
        except (AttributeError, NotImplementedError) as error:  # only the class is public
            getLogger(__name__).warning("The first runs of a store may exceed the pool's limit: %s", error)
        return super().submit_run(context)

    def _limit_pools(self, run: dg.DagsterRun) -> None:
        storage, needed = self._instance.event_log_storage, run.run_op_concurrency
        limited = {limit.name for limit in storage.get_pool_limits()}
        for pool in set(needed.all_pools or () if needed else ()) - limited:
            storage.initialize_concurrency_limit_to_default(pool)
