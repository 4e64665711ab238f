"""Processes that write, stop or die. A server forks them, which has imported what takes seconds."""

from multiprocessing import get_context

WRITERS = get_context("forkserver")
WRITERS.set_forkserver_preload(
    ["idr_assets.imaging.label_image_creation", "idr_assets.imaging.objects", "pytest", "yaozarrs"]
)
