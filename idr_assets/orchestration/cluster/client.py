"""Provide a `distributed.Client` for any kind of cluster.

`imaging.segmentation.blocks` is what runs on it.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from dask.system import CPU_COUNT
from distributed import Client, LocalCluster

from idr_assets.orchestration.cluster.classes import LOOPBACK, PlainWorker, named_cluster, refuse, stay_on_this_machine
from idr_assets.orchestration.cluster.dashboard import DashboardOnDemand
from idr_assets.orchestration.cluster.security import check_preloads, secure, warn_if_readable
from idr_assets.orchestration.cluster.settings import local_settings

SCHEDULER = {
    "dashboard": False,
    "allowed_failures": 0,  # `segment_blocks` itself repeats what a dying worker took with it
}
"""Arguments of the scheduler of a cluster on this machine."""


@contextmanager
def client(cluster: str, workers: int | None, arguments: Mapping[str, Any]) -> Iterator[Client]:
    """Provide a client of the cluster that the fields of `DaskResource` describe; at the end, close what was started.

    Raises
    ------
    ValueError
        If `cluster` names no cluster, or `arguments` name code on the web.
    OSError
        If no scheduler answers at the address, or the cluster cannot start its workers.

    """
    check_preloads(arguments)
    if "://" in cluster:
        warn_if_readable(cluster)
        with _connect(cluster, secure(arguments)) as scheduler:
            yield scheduler
    elif "." in cluster:
        with named_cluster(cluster, workers or 1, arguments) as named, Client(named) as scheduler:
            yield scheduler
    else:
        cores = workers or CPU_COUNT
        with local_settings(), _local_cluster(cluster, cores, arguments) as local, Client(local) as scheduler:
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
        # The protocol, because dask would open a port and want certificates if the user's settings require encryption.
        "in_process": {
            "worker_class": PlainWorker,
            "protocol": "inproc://",
            "n_workers": 1,
            "threads_per_worker": cores,
        },
        "processes": {**stay_on_this_machine(arguments), "n_workers": cores, "threads_per_worker": 1},
    }
    if form not in sizes:
        raise refuse(form, "there is no such form")
    scheduler = {"dashboard_address": LOOPBACK, "scheduler_kwargs": SCHEDULER}
    try:
        return LocalCluster(**scheduler | sizes[form] | secure(arguments))
    except (ImportError, OSError, RuntimeError) as error:
        cause: BaseException = error
        while cause.__cause__:
            cause = cause.__cause__  # dask says only which part of it failed
        message = (
            f"The dask cluster `{form}` cannot start, so no planes are segmented ({cause}). Correct your "
            "settings of dask, such as `preload`, `temporary-directory` or TLS, or `arguments` in the YAML of the dask "
            "cluster."
        )
        raise OSError(message) from error
