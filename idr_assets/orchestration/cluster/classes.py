"""Start a cluster of the class that the YAML names."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from importlib import import_module
from typing import Any

from distributed import LocalCluster, SpecCluster, Status, Worker
from distributed.deploy.cluster import Cluster

from idr_assets.orchestration.cluster.security import secure
from idr_assets.orchestration.cluster.settings import local_settings

LOOPBACK = "127.0.0.1:0"
"""Where web servers of a cluster on this machine listen; by default, dask binds all interfaces."""


class PlainWorker(Worker):
    """A worker without its own dashboard: the scheduler's shows everything, and each takes a second to start."""

    def __init__(self, *args: Any, **arguments: Any) -> None:  # noqa: ANN401  whatever dask passes
        """Create a worker as dask does; its other pages stay on loopback."""
        super().__init__(*args, **arguments | {"dashboard": False, "dashboard_address": LOOPBACK})


def stay_on_this_machine(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return arguments without which web servers of a `LocalCluster` listen on all interfaces."""
    threads = {} if arguments.get("processes", True) else {"worker_class": PlainWorker}
    return {"dashboard_address": LOOPBACK, **threads}


@contextmanager
def named_cluster(path: str, workers: int, arguments: Mapping[str, Any]) -> Iterator[Cluster]:
    """Start a cluster of the class at a dotted path, scaled to `workers`; at the end, close it.

    Raises
    ------
    ValueError
        If there is no such class.
    OSError
        If the cluster cannot start its workers.

    """
    cluster_class = _find_class(path)
    local = issubclass(cluster_class, LocalCluster)
    with local_settings() if local else nullcontext():
        cluster = cluster_class(**(stay_on_this_machine(arguments) if local else {}) | secure(arguments))
        cluster.scale(workers)
        if isinstance(cluster, SpecCluster):
            _await_jobs(path, cluster)
        with cluster:
            yield cluster


def _find_class(path: str) -> Any:  # noqa: ANN401  any class with `scale`
    module, _, name = path.rpartition(".")
    try:
        found = getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise refuse(path, str(error)) from error
    if not (isinstance(found, type) and issubclass(found, Cluster)):
        raise refuse(path, "it is not a `distributed.deploy.Cluster`")
    return found


def _await_jobs(path: str, cluster: SpecCluster) -> None:
    """Wait until the workers' jobs are submitted: dask only logs a refused job, and planes would wait forever."""
    try:
        cluster.sync(_submit, cluster)
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


async def _submit(cluster: SpecCluster) -> None:
    await cluster
    for job in list(cluster.workers.values()):
        await job


def refuse(cluster: str, reason: str) -> ValueError:
    """Return the error that `cluster` names no cluster."""
    return ValueError(
        f"`cluster` is {cluster!r}, so no planes can be segmented: {reason}. Write `in_process`, `processes`, "
        "the address of a scheduler (tcp://host:8786) or the dotted path of an installed cluster class."
    )
