"""Dask's settings for a cluster on this machine.

Sites configure dask for their own clusters. A worker lifetime, an idle timeout or a short connection timeout would end
or stall a run that has all of its workers on one machine.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from itertools import product
from pathlib import Path
from typing import Final

import dask.config
from distributed.config import defaults

USERS: Final = (
    *map(".".join, product(("client", "nanny", "scheduler", "worker"), ("preload", "preload-argv"))),
    *("comm.require-encryption", "comm.tls", "nanny.environ", "nanny.pre-spawn-environ"),
    "worker.multiprocessing-method",
)
"""Settings of `distributed` that the user may change: how workers start, with which code and variables; encryption."""

OURS: Final = {
    # By default, dask names the machine's outer address, where nothing listens.
    "dashboard.link": "http://127.0.0.1:{port}/status",
    # A worker that died is started again. By default, dask gives it up for good if it happens to be away 15 s after
    # any earlier death, and a run whose last worker is given up waits forever.
    "deploy.lost-worker-timeout": "365 days",
    "scheduler.pickle": True,  # an old setting, with which no scheduler starts if it is off
    # A worker that died has closed its connection. The heartbeat of a living one is late if the machine slept, its
    # clock was set, or a function kept Python's lock; by default, dask then removes the worker.
    "scheduler.worker-ttl": None,
    # Workers hold no data that they could spill, and a paused worker waits forever if its memory does not shrink.
    "worker.memory.pause": False,
    "worker.memory.spill": False,
    "worker.memory.target": False,
    # For the dashboard, dask notes 50 times a second how late its loops are, which takes a fortieth of two cores.
    "admin.system-monitor.interval": "5 s",
    "admin.tick.interval": "1 s",
    # For the dashboard's profile, dask reads the stacks of all threads and keeps them: that takes Python's lock from
    # the planes, and half of the memory by which a run grows.
    "worker.profile.enabled": False,
}
"""Settings of `distributed` that differ from its defaults."""

UNFIT: Final = (None, "fork")
"""Values that leave the default: a fork of this process, which has threads, may wait forever for one of them."""


@contextmanager
def local_settings() -> Iterator[None]:
    """Keep `distributed`'s defaults and `OURS`; the user's other settings hold in `USERS` alone."""
    users = {name: value for name in USERS if (value := dask.config.get(f"distributed.{name}", None)) not in UNFIT}
    # What dask does not know may be of the package of a cluster class.
    whole = dask.config.merge(dask.config.get("distributed"), defaults["distributed"])
    each = {f"distributed.{name}": value for name, value in (users | OURS).items()}
    with _without_command(), dask.config.set({"distributed": whole} | each):
        yield


@contextmanager
def _without_command() -> Iterator[None]:
    """Keep workers from importing the command that started this process, and with it Dagster: a second for each.

    Python does so in every process that it spawns, for functions that are defined there. A script of a user's own may
    have some, and stays.
    """
    command = vars(sys.modules["__main__"])
    hidden = {name: command[name] for name in ("__spec__", "__file__") if command.get(name)}
    if not _is_command(**{name.strip("_"): value for name, value in hidden.items()}):
        hidden = {}
    command.update(dict.fromkeys(hidden))
    try:
        yield
    finally:
        command.update(hidden)


def _is_command(spec: ModuleSpec | None = None, file: str = "") -> bool:
    """Return whether the main module is one of Dagster or of this package, or a command such as `dg`."""
    return spec.name.partition(".")[0] in {"dagster", "idr_assets"} if spec else Path(file).suffix != ".py"
