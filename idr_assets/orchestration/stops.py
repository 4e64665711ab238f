"""Runs that a person stops end as canceled; a run of planes first reports what it stored."""

import atexit
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, current_thread, main_thread

import click
import dagster as dg

STOPPED = (
    "The run was stopped: {done} of {partitions} partitions are done and kept; the others are as they were before it. "
    "`idr-assets resume {image}` makes those that are missing, with `--stale` also those of an earlier recipe or image."
)


@contextmanager
def end_canceled(context: dg.AssetExecutionContext) -> Iterator[None]:
    """Let a run of a command end as canceled after Ctrl-C or SIGTERM; Dagster would call it failed."""
    try:
        yield
    except (KeyboardInterrupt, dg.DagsterExecutionInterruptedError):
        cancel_command(context.instance, context.run.run_id)
        raise


def cancel_command(instance: dg.DagsterInstance, run_id: str) -> None:
    """Mark the run of a command that was told to stop as being canceled, unless it is already.

    A run of the UI that nobody asked to end, but whose process is told to, has failed: it may be run again.
    """
    run = instance.get_run_by_id(run_id)
    if run and run.remote_job_origin is None and run.status == dg.DagsterRunStatus.STARTED:
        instance.report_run_canceling(run, "The command was told to stop.")


@contextmanager
def note_stops() -> Iterator[Callable[[], bool]]:
    """Note Ctrl-C, SIGTERM and the UI's *Terminate* instead of being interrupted.

    Yields a function that says whether one came.
    """
    noted = Event()
    signals = (signal.SIGINT, signal.SIGTERM) if current_thread() is main_thread() else ()
    before = {number: signal.signal(number, lambda *_: noted.set()) for number in signals}
    try:
        yield noted.is_set
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def say_what_is_kept(context: dg.AssetExecutionContext, image: str, done: int, partitions: int) -> None:
    """Log how many partitions of an image a run made that was stopped, and print it below all that a command prints."""
    text = STOPPED.format(done=done, partitions=partitions, image=image)
    context.log.warning(text)
    if context.run.remote_job_origin is None:
        atexit.register(click.echo, text, err=True)
