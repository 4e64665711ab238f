"""A dask scheduler and its workers as processes of their own, as a cluster's administrator starts them."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path

from dask.cli import run_cli
from distributed import Client, Security

from idr_assets_tests.support.forked import fork

TLS = """\
type: idr_assets.DaskCluster
attributes:
  cluster: {address}
  arguments:
    timeout: 30
    security: {{tls_ca_file: ca.pem, tls_client_cert: client.pem, tls_client_key: client.pem, require_encryption: true}}
"""
"""The YAML of a scheduler whose certificates lie beside it."""


@dataclass
class Scheduler:
    """A scheduler on loopback whose `workers` come and go; `folder` takes the file that tells all where it is.

    The first of the `processes` is the scheduler's, all others were started as workers.
    """

    folder: Path
    security: Security | None
    options: tuple[str, ...]
    address: str = ""
    processes: list[BaseProcess] = field(default_factory=list)

    @property
    def workers(self) -> list[BaseProcess]:
        """List all workers that were ever started."""
        return self.processes[1:]

    def start(self, *command: str) -> None:
        """Start a part of the cluster, the scheduler first."""
        file = str(self.folder / "scheduler.json")
        common = ("--host", "127.0.0.1", "--dashboard-address", "127.0.0.1:0", "--scheduler-file", file)
        self.processes.append(fork(_dask, [*command, *common, *self.options]))

    @property
    def is_idle(self) -> bool:
        """Tell whether all workers are there, and neither they nor the scheduler have anything to do."""
        with self._client() as client:
            tasks = client.run_on_scheduler(lambda dask_scheduler: len(dask_scheduler.tasks))
            there = client.run(lambda dask_worker: len(dask_worker.state.tasks))
        return (tasks, list(there.values())) == (0, [0] * len(self.workers))

    def add_workers(self, count: int, *options: str) -> None:
        """Start workers of one thread, and wait until all that were ever started are there."""
        for _ in range(count):
            self.start("worker", "--nthreads", "1", "--no-nanny", "--no-dashboard", *options)
        with self._client() as client:
            if self.workers:
                client.wait_for_workers(len(self.workers), timeout=60)
            self.address = client.scheduler.address

    def _client(self) -> Client:
        file = str(self.folder / "scheduler.json")
        # A default client of another thread, which ends in another order than it began, stays dask's default for good.
        return Client(scheduler_file=file, timeout=60, security=self.security, set_as_default=False)


@contextmanager
def running_scheduler(
    folder: Path, certificates: Path | None = None, workers: int = 2, *, dashboard: bool = False
) -> Iterator[Scheduler]:
    """Start a scheduler and its first workers; with `certificates` they speak TLS, and leave them in that folder.

    The `dashboard` takes longer to import than all else of a scheduler.
    """
    scheduler = Scheduler(folder, *_tls(certificates) if certificates else (None, ()))
    try:
        scheduler.start("scheduler", "--port", "0", "--dashboard" if dashboard else "--no-dashboard")
        scheduler.add_workers(workers)
        yield scheduler
    finally:
        for process in scheduler.processes:
            process.kill()
            process.join()


def _dask(command: list[str]) -> None:
    """Run a command of dask in this process."""
    sys.argv[1:] = command
    run_cli()


def _tls(folder: Path) -> tuple[Security, tuple[str, ...]]:
    """Write `ca.pem` and `client.pem`; give what a client needs, and what the processes do."""
    made = Security.temporary()
    authority, pem = folder / "ca.pem", folder / "client.pem"
    authority.write_text(made.tls_ca_file)
    pem.write_text(made.tls_client_key + made.tls_client_cert)
    files = ("--tls-ca-file", str(authority), "--tls-cert", str(pem), "--tls-key", str(pem))
    return made, ("--protocol", "tls", *files)
