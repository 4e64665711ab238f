"""Provide a `distributed.Client` for any kind of cluster.

`imaging.segmentation.blocks` is what runs on it.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import Any

import dask.config
from dask.system import CPU_COUNT
from distributed import Client, LocalCluster, SpecCluster, Status, Worker
from distributed.deploy.cluster import Cluster

from idr_assets.orchestration.cluster.dashboard import DashboardOnDemand
from idr_assets.orchestration.cluster.security import check_preloads, secure, warn_if_readable

LOOPBACK = "127.0.0.1:0"
"""Where web servers of a cluster on this machine listen; by default, dask binds all interfaces."""

ON_THIS_MACHINE = {"host": "127.0.0.1", "dashboard_address": LOOPBACK}
"""Default arguments of a `LocalCluster` that the YAML names as a class."""

LOCAL = {
    # By default, dask names the machine's outer address, where nothing listens.
    "distributed.dashboard.link": "http://127.0.0.1:{port}/status",
    # A worker that died is started again. By default, dask gives it up for good if it happens to be away 15 s after
    # any earlier death, and a run whose last worker is given up waits forever.
    "distributed.deploy.lost-worker-timeout": "365 days",
    # For the dashboard's profile, dask reads the stacks of all threads, by default every 10 ms: that takes Python's
    # lock from the planes that are segmented in the same process.
    "distributed.worker.profile.interval": "100 ms",
}
"""Dask settings for a cluster on this machine."""

SCHEDULER = {
    "dashboard": False,
    "allowed_failures": 0,  # `segment_blocks` itself repeats what a dying worker took with it
}
"""Arguments of the scheduler of a cluster on this machine."""


class PlainWorker(Worker):
    """A worker without its own dashboard: the scheduler's shows everything, and each takes a second to start."""

    def __init__(self, *args: Any, **arguments: Any) -> None:  # noqa: ANN401  whatever dask passes
        """Create a worker as dask does; its other pages stay on loopback."""
        super().__init__(*args, **arguments | {"dashboard": False, "dashboard_address": LOOPBACK})


@contextmanager
def client(cluster: str, workers: int | None, arguments: Mapping[str, Any]) -> Iterator[Client]:
    """Provide a client of the cluster that the fields of `DaskResource` describe; at the end, close what was started.

    Raises
    ------
    ValueError
        If `cluster` names no cluster, or `arguments` name code on the web.
    OSError
        If no scheduler answers at the address, or a cluster class cannot start its workers.

    """
    check_preloads(arguments)
    if "://" in cluster:
        warn_if_readable(cluster)
        with _connect(cluster, secure(arguments)) as scheduler:
            yield scheduler
    elif "." in cluster:
        with _named_cluster(cluster, workers or 1, arguments) as named, Client(named) as scheduler:
            yield scheduler
    else:
        cores = workers or CPU_COUNT
        with dask.config.set(LOCAL), _local_cluster(cluster, cores, arguments) as local, Client(local) as scheduler:
            DashboardOnDemand(local.scheduler)
            yield scheduler


def _connect(address: str, arguments: Mapping[str, Any]) -> Client:
    try:
        return Client(address, **arguments)
    except OSError as error:
        message = (
            f"No scheduler answers at {address}, so no planes are segmented ({error}). Start `dask scheduler` there, "
            "or correct `cluster` in the YAML of the dask cluster."
        )
        raise OSError(message) from error


def _local_cluster(form: str, cores: int, arguments: Mapping[str, Any]) -> LocalCluster:
    sizes: dict[str, dict[str, Any]] = {
        "in_process": {"worker_class": PlainWorker, "n_workers": 1, "threads_per_worker": cores},
        "processes": {"host": "127.0.0.1", "n_workers": cores, "threads_per_worker": 1},
    }
    if form not in sizes:
        raise _refusal(form, "there is no such form")
    scheduler = {"dashboard_address": LOOPBACK, "scheduler_kwargs": SCHEDULER}
    return LocalCluster(**scheduler | sizes[form] | secure(arguments))


def _named_cluster(path: str, workers: int, arguments: Mapping[str, Any]) -> Any:  # noqa: ANN401  any class with `scale`
    module, _, name = path.rpartition(".")
    try:
        cluster_class = getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise _refusal(path, str(error)) from error
    if not (isinstance(cluster_class, type) and issubclass(cluster_class, Cluster)):
        raise _refusal(path, "it is not a `distributed.deploy.Cluster`")
    here = ON_THIS_MACHINE if issubclass(cluster_class, LocalCluster) else {}
    cluster = cluster_class(**here | secure(arguments))
    cluster.scale(workers)
    if isinstance(cluster, SpecCluster):
        _await_jobs(path, cluster)
    return cluster


def _await_jobs(path: str, cluster: SpecCluster) -> None:
    """Wait until the workers' jobs are submitted: dask only logs a refused job, and planes would wait forever."""
    try:
        cluster.sync(_submitted, cluster)
    except BaseException as error:
        for job in cluster.workers.values():
            job.status = Status.failed  # otherwise dask does not close the cluster
        with suppress(Exception):  # an error in closing would hide the reason for it
            cluster.close()
        if not isinstance(error, Exception):
            raise
        message = (
            f"{path} cannot start all of its workers, so no planes are segmented ({error}). Run on a machine that has "
            "the commands of its queue, or correct `workers` or `arguments` in the YAML of the dask cluster."
        )
        raise OSError(message) from error


async def _submitted(cluster: SpecCluster) -> None:
    await cluster
    for job in list(cluster.workers.values()):
        await job


def _refusal(cluster: str, reason: str) -> ValueError:
    return ValueError(
        f"`cluster` is {cluster!r}, so no planes can be segmented: {reason}. Write `in_process`, `processes`, "
        "the address of a scheduler (tcp://host:8786) or the dotted path of an installed cluster class."
    )
