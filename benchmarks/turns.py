"""Ways that take turns, see `ways`: all of a comparison are started at once, and each then waits for the others'."""

import json
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from itertools import count
from typing import Any

from benchmarks.costs import Cost
from benchmarks.windows import window


class Way:
    """A way to segment so many planes of the image at `url`, in a process of its own, which is only started.

    Each call is a turn, on planes that no turn before had; it gives what they cost, without the start.
    """

    def __init__(self, url: str, way: str, planes: int, **options: Any) -> None:  # noqa: ANN401  what `ways` takes
        arguments = [f"--{name}={value}" for name, value in options.items()]
        self.command = [sys.executable, "-m", "benchmarks.ways", way, url, str(planes), *arguments]
        self.process = subprocess.Popen(self.command, bufsize=0, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603
        self.planes = planes
        self.turns = count()

    def wait_until_ready(self) -> None:
        """Wait until the process has started."""
        self._told()

    def __call__(self) -> Cost:
        """Take a turn."""
        assert self.process.stdin
        with suppress(BrokenPipeError):  # that it has ended is told below
            self.process.stdin.write(f"{next(self.turns)}\n".encode())
        return Cost(len(window(self.planes)), **json.loads(self._told()))

    def _told(self) -> bytes:
        assert self.process.stdout
        if told := self.process.stdout.readline():
            return told
        message = f"{shlex.join(self.command)} ended with {self.process.wait()}, so its cost is not known"
        raise RuntimeError(message)


@contextmanager
def ready(ways: Mapping[str, Way]) -> Iterator[None]:
    """Go on when all ways have started; end them."""
    with ExitStack() as processes:
        for way in ways.values():
            processes.enter_context(way.process)
        for way in ways.values():
            way.wait_until_ready()
        yield
