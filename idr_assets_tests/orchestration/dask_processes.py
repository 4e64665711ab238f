"""A dask scheduler and its workers as processes of their own, as a cluster's administrator starts them."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import Popen

from distributed import Client, Security


@contextmanager
def running_scheduler(folder: Path, *options: str, security: Security | None = None) -> Iterator[str]:
    """Start a scheduler and two workers with `options` on loopback, and give the scheduler's address.

    `security` is what a client needs to reach it; `folder` takes the file that tells all where the scheduler is.
    """
    file = str(folder / "scheduler.json")
    common = ["--host", "127.0.0.1", "--dashboard-address", "127.0.0.1:0", "--scheduler-file", file, *options]
    commands = [["scheduler", "--port", "0"], *[["worker", "--nthreads", "1", "--no-nanny"]] * 2]
    processes = [Popen([sys.executable, "-m", "dask", *command, *common]) for command in commands]  # noqa: S603
    try:
        with Client(scheduler_file=file, timeout=60, security=security) as client:
            client.wait_for_workers(2, timeout=60)
            address: str = client.scheduler.address
        yield address
    finally:
        for process in processes:
            process.kill()
            process.wait()
