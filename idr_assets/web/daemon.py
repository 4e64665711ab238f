"""Allow one daemon per instance: two would launch runs twice."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from time import time

import click
import dagster as dg

from idr_assets.orchestration.proof_of_life import hold

FRESH = 60
"""Seconds without a heartbeat after which a daemon counts as ended; it sends one every 30."""


@contextmanager
def only_daemon(instance: dg.DagsterInstance, address: str) -> Iterator[Sequence[int]]:
    """Reserve an instance for the daemon of the UI at `address`.

    Yields the descriptors that this daemon must hold open, so that the instance stays reserved while it lives; none if
    files cannot be locked.

    Raises
    ------
    click.ClickException
        The instance already has a daemon.

    """
    path = Path(instance.root_directory, "idr_assets", "daemon")
    now = datetime.now().astimezone()
    with ExitStack() as stack:
        try:
            held = [stack.enter_context(hold(path, f"that of the UI at {address}, since {now:%Y-%m-%d %H:%M}"))]
        except BlockingIOError:
            raise _refuse(path.read_text()) from None
        except OSError:  # no locks here; heartbeats still tell
            held = []
        _check_heartbeats(instance)
        stack.callback(instance.wipe_daemon_heartbeats)  # otherwise they look fresh for a minute after the daemon ended
        yield held


def _check_heartbeats(instance: dg.DagsterInstance) -> None:
    now = time()
    # One that lies far ahead was sent before the clock was set back.
    fresh = [it.timestamp for it in instance.get_daemon_heartbeats().values() if abs(now - it.timestamp) < FRESH]
    if fresh:
        last = max(fresh)
        seen = datetime.fromtimestamp(last).astimezone()
        reason = f"its last heartbeat was at {seen:%H:%M:%S}; if it has ended, wait {FRESH - now + last:.0f} s"
        raise _refuse(reason)


def _refuse(reason: str) -> click.ClickException:
    return click.ClickException(
        f"The instance of DAGSTER_HOME already has a daemon ({reason}). A second one would launch runs twice, so "
        "the UI was not started. Use the running UI, or start this one without a daemon: "
        "idr-assets ui --without-daemon, or make ui ARGS=--without-daemon."
    )
