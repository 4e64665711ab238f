"""Runs that a person stops end as canceled."""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg


@contextmanager
def end_canceled(context: dg.AssetExecutionContext) -> Iterator[None]:
    """Let a run of a command end as canceled after Ctrl-C or SIGTERM; Dagster would call it failed.

    A run of the UI that nobody asked to end, but whose process is told to, has failed: it may be run again.
    """
    try:
        yield
    except (KeyboardInterrupt, dg.DagsterExecutionInterruptedError):
        if context.run.remote_job_origin is None:
            context.instance.report_run_canceling(context.run, "The command was told to stop.")
        raise
