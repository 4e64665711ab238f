"""Processes of a test's own: a server forks them, which has imported what takes seconds."""

import os
from collections.abc import Callable, Mapping
from multiprocessing import forkserver, get_context, resource_tracker
from multiprocessing.process import BaseProcess

FORKED = get_context("forkserver")
PRELOADED = [
    *(
        "idr_assets.imaging.segmentation.blocks",
        "idr_assets.imaging.output.creation",
        "idr_assets.imaging.objects.tables",
        "idr_assets.imaging.published.publication",
    ),
    *("distributed.cli.dask_scheduler", "distributed.cli.dask_worker", "dask_image.ndfilters"),
    *("idr_assets_tests.support.small_image", "idr_assets_tests.support.empty_planes"),
    *("idr_assets.orchestration.assets.plane_labels", "pytest"),
]


def start_server() -> None:
    """Start the server, and what Python starts beside the first process.

    Before any test: each is to tell which processes are left, and dask, which forks its workers, preloads less.
    """
    FORKED.set_forkserver_preload(PRELOADED)
    resource_tracker.ensure_running()
    forkserver.ensure_running()


def fork[*Arguments](target: Callable[[*Arguments], None], *arguments: *Arguments) -> BaseProcess:
    """Call a function in a process of its own, with the environment of now; it ends with this process at the latest."""
    process = FORKED.Process(target=_call, args=(dict(os.environ), target, arguments), daemon=True)
    process.start()
    return process


def exit_codes(*processes: BaseProcess) -> list[int | None]:
    """Wait for processes to end; the code is None of one that has not after two minutes."""
    for process in processes:
        process.join(120)
    return [process.exitcode for process in processes]


def _call(environment: Mapping[str, str], target: Callable[..., None], arguments: tuple[object, ...]) -> None:
    os.environ.clear()
    os.environ.update(environment)
    target(*arguments)
