"""Processes of a test's own: a server forks them, which has imported what takes seconds."""

from multiprocessing import forkserver, get_context, resource_tracker

FORKED = get_context("forkserver")
FORKED.set_forkserver_preload(
    [
        *("idr_assets.imaging.blocks", "idr_assets.imaging.label_image_creation", "idr_assets.imaging.objects"),
        *("distributed.cli.dask_scheduler", "distributed.cli.dask_worker", "dask_image.ndfilters"),
        *("idr_assets_tests.orchestration.small_image", "idr_assets_tests.orchestration.empty_planes"),
        *("idr_assets.orchestration.plane_labels", "pytest"),
    ]
)


def start_helpers() -> None:
    """Start what Python starts beside the first process, where a test is to tell which processes are left."""
    resource_tracker.ensure_running()
    forkserver.ensure_running()
