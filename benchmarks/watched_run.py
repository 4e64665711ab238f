"""Look at a run while it works: planes that are done, and what its processes take."""

import re
import subprocess
from collections.abc import Iterator
from math import nan
from statistics import linear_regression
from time import monotonic, sleep
from typing import NamedTuple

import psutil

from benchmarks.memory import memory
from idr_assets_tests.support.dagster_home import DagsterHome

DONE = re.compile(r"(\d+) of \d+ planes done")


class Look(NamedTuple):
    """A look at a run: seconds since its start, planes that are done, and what its processes have taken.

    `own` and `all` are the bytes of its process and of all of them, `cpu` the processor seconds of all.
    """

    seconds: float
    done: int
    own: int
    all: int
    cpu: float


def watch(home: DagsterHome, process: subprocess.Popen[bytes]) -> Iterator[Look]:
    """Look at a run whenever its log tells how many planes are done."""
    started = monotonic()
    with home.output.open(errors="replace") as log:
        while process.poll() is None:
            if found := DONE.findall(log.read()):
                yield Look(monotonic() - started, int(found[-1]), *_used(process.pid))
            sleep(0.2)


def _used(launched: int) -> tuple[int, int, float]:
    processes = [psutil.Process(launched), *psutil.Process(launched).children(recursive=True)]
    each = [memory("VmRSS", process.pid) for process in processes]
    times = [process.cpu_times() for process in processes]
    return each[0], sum(each), sum(it.user + it.system for it in times)


def pace(looks: list[Look], planes: int, share: tuple[float, float], of: str) -> float:
    """Give the planes a second, or a second of processor time, of a part of a run: from one share to another."""
    first, last = (planes * part for part in share)
    part = [(getattr(look, of), look.done) for look in looks if first <= look.done <= last]
    few = len({at for at, _ in part}) < 2
    return nan if few else linear_regression(*zip(*part, strict=True)).slope or nan
