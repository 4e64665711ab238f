"""The dask resource: one `distributed.Client`, whatever cluster stands behind it.

What runs on the cluster stands in `imaging.blocks`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import dagster as dg
import dask.config
from dask.system import CPU_COUNT
from distributed import Client, LocalCluster, Worker
from pydantic import Field

from idr_assets.orchestration.dashboard import DashboardOnDemand
from idr_assets.orchestration.dask_security import secured, warn_if_readable

LOOPBACK = "127.0.0.1:0"
"""Where a web server of a cluster on this machine listens; left alone, dask binds all interfaces."""

LOCAL = {
    # Left alone, dask names the machine's outer address, at which nothing listens.
    "distributed.dashboard.link": "http://127.0.0.1:{port}/status",
    # A worker that died is started anew. Left alone, dask gives it up for good when it happens to be away 15 s after
    # any earlier death, and a run whose last worker is given up waits forever.
    "distributed.deploy.lost-worker-timeout": "365 days",
}
"""Dask's settings for a cluster on this machine."""

SCHEDULER = {
    "dashboard": False,
    "allowed_failures": 0,  # `segment_blocks` itself tries again what a dying worker took with it
}
"""Arguments of the scheduler of a cluster on this machine."""


class PlainWorker(Worker):
    """A worker without a dashboard of its own: the scheduler's shows all, and each takes a second to start."""

    def __init__(self, *args: Any, **arguments: Any) -> None:  # noqa: ANN401  whatever dask passes
        """Make a worker as dask does; its other pages stay on loopback."""
        super().__init__(*args, **arguments | {"dashboard": False, "dashboard_address": LOOPBACK})


class DaskResource(dg.ConfigurableResource[Any]):
    """A dask cluster in one of four forms: in this process, local processes, an address, or any cluster class."""

    cluster: str = Field(
        default="in_process",
        description="`in_process` (threads of the run), `processes` (local workers), the address of a running "
        "scheduler (`tcp://...`, `tls://...`), or the dotted path of a cluster class, `dask_jobqueue.SLURMCluster`.",
    )
    workers: int | None = Field(
        default=None,
        gt=0,
        description="Threads of the in-process form, processes of the local one, or workers that a cluster class is "
        "scaled to; by default the number of cores here, and 1 for a cluster class.",
    )
    arguments: dict[str, Any] = Field(
        default_factory=dict,
        description="Arguments of the cluster class, or of `distributed.Client` for an address, such as `timeout`; "
        "`security: {tls_ca_file: ..., tls_client_cert: ..., tls_client_key: ...}` becomes a `distributed.Security`.",
    )

    @contextmanager
    def client(self) -> Iterator[Client]:
        """Give a client, and close what was started for it, whatever happens."""
        if "://" in self.cluster:
            warn_if_readable(self.cluster)
            with Client(self.cluster, **secured(self.arguments)) as client:
                yield client
        elif "." in self.cluster:
            with self._named_cluster() as cluster, Client(cluster) as client:
                yield client
        else:
            with dask.config.set(LOCAL), self._local_cluster() as cluster, Client(cluster) as client:
                DashboardOnDemand(cluster.scheduler)
                yield client

    def _local_cluster(self) -> LocalCluster:
        cores = self.workers or CPU_COUNT
        sizes: dict[str, dict[str, Any]] = {
            "in_process": {"worker_class": PlainWorker, "n_workers": 1, "threads_per_worker": cores},
            "processes": {"host": "127.0.0.1", "n_workers": cores, "threads_per_worker": 1},
        }
        if self.cluster not in sizes:
            reason = "no form has this name"
            raise self._refusal(reason)
        scheduler = {"dashboard_address": LOOPBACK, "scheduler_kwargs": SCHEDULER}
        return LocalCluster(**scheduler | sizes[self.cluster] | secured(self.arguments))

    def _named_cluster(self) -> Any:  # noqa: ANN401  any class with `scale` that is a context manager
        module, _, name = self.cluster.rpartition(".")
        try:
            cluster_class = getattr(import_module(module), name)
        except (ImportError, AttributeError, ValueError) as error:
            raise self._refusal(str(error)) from error
        cluster = cluster_class(**secured(self.arguments))
        cluster.scale(self.workers or 1)
        return cluster

    def _refusal(self, reason: str) -> ValueError:
        return ValueError(
            f"`cluster` is {self.cluster!r}, so no planes can be segmented: {reason}. Write `in_process`, `processes`, "
            "the address of a scheduler (tcp://host:8786) or the dotted path of an installed cluster class."
        )
