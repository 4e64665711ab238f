"""The memory that a large plane takes, which is cut into many chunks."""

import math
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.memory import memory
from idr_assets.imaging.output.creation import create_output
from idr_assets.imaging.planes import Plane
from idr_assets.imaging.reading.level import open_level
from idr_assets.imaging.segmentation.block_task import BlockTask
from idr_assets.imaging.segmentation.functions import gaussian_threshold
from idr_assets_tests.support.idr_stores import write_image

CHUNKS = (1, 1, 1, 1024, 1024)

MOST_BYTES = 22
"""Bound of what a pixel of 16 bits takes while a plane is segmented."""


def bytes_of_large_plane(side: int) -> float:
    """Segment a plane of noise in a process of its own; give the memory that it takes at most, for each pixel."""
    noise = np.random.default_rng(0).integers(0, 1000, (1, 1, 1, side, side), np.uint16)
    with TemporaryDirectory() as folder:
        write_image(Path(folder) / "image.zarr", noise, version="0.4", chunks=CHUNKS)
        with ProcessPoolExecutor(1, get_context("spawn")) as alone:
            return alone.submit(_bytes_a_pixel, Path(folder)).result()


def _bytes_a_pixel(folder: Path) -> float:
    level = open_level(str(folder / "image.zarr"), "0")
    task = BlockTask(level, create_output(str(folder / "output"), level), gaussian_threshold)
    before = memory("VmRSS")
    (found,) = task(Plane(0, 0, 0).block)
    assert found.objects
    return (memory("VmHWM") - before) / math.prod(level.plane_shape)
