"""What it costs to publish the planes of a timepoint, and to copy the same by Zarr without smaller levels."""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from typing import Any

import numpy as np
import zarr

from benchmarks.costs import Cost
from benchmarks.memory import memory
from idr_assets.imaging.output.creation import create_output
from idr_assets.imaging.output.writing import store_planes
from idr_assets.imaging.planes import Block, Plane
from idr_assets.imaging.published.attributes import Look
from idr_assets.imaging.published.creation import create_published
from idr_assets.imaging.published.layout import Layout
from idr_assets.imaging.published.slabs import SlabTask
from idr_assets.imaging.published.staging import put_in_place
from idr_assets.imaging.reading.level import open_level
from idr_assets_tests.support.idr_stores import nuclei_plane, write_image
from idr_assets_tests.support.small_image import recipe

WAYS = ("copied by Zarr", "published")

DIFFERENT = 4
"""Planes that differ: to make them takes longer than to publish them."""


def cost_of_publishing(way: str, plane: tuple[int, int], planes: int) -> Cost:
    """Publish or copy so many planes of a timepoint, on one thread of a process of its own."""
    with TemporaryDirectory() as folder:
        layout = write_output(Path(folder), plane, planes)
        with ProcessPoolExecutor(1, get_context("spawn")) as alone:
            return alone.submit(measure, Path(folder), way, layout).result()


def write_output(folder: Path, plane: tuple[int, int], planes: int) -> Layout:
    """Write an output of nuclei, and say how its published image is laid out."""
    write_image(folder / "source.zarr", np.zeros((1, 1, planes, *plane), np.uint16), version="0.4")
    output = create_output(str(folder / "image.ome.zarr"), open_level(str(folder / "source.zarr"), "0"))
    made = [nuclei_plane(0, 0, z, plane).astype(np.uint16) for z in range(min(DIFFERENT, planes))]
    several = [(each, recipe(each)) for each in made]
    for z in range(planes):
        pixels, labels = several[z % len(several)]
        store_planes(output, Plane(0, 0, z).block, pixels[None, None, None], labels[None, None, None])
    window = Block(range(1), (0,), range(planes))
    return Layout(window, window, plane, np.dtype(np.uint16))


def measure(folder: Path, way: str, layout: Layout) -> Cost:
    """Do it one way; the memory is the peak of this process."""
    started, processor = perf_counter(), process_time()
    (_publish if way == "published" else _copy)(folder, layout)
    seconds, cpu = perf_counter() - started, process_time() - processor
    return Cost(len(layout.window), seconds, cpu, memory("VmHWM"))


def _publish(folder: Path, layout: Layout) -> None:
    url = str(folder / "published.ome.zarr")
    task = SlabTask(url, str(folder / "image.ome.zarr"), {"segmentation": (0,)}, layout, f"{url}/.new/run")
    create_published(task, open_level(task.output, "0").geometry, Look("image", {}, {0: (0.0, 1.0)}))
    for slab in layout.slabs(0):
        assert len(task(slab)) == len(slab)
    put_in_place(task, 0)


def _copy(folder: Path, layout: Layout) -> None:
    source, copied = zarr.open_group(folder / "image.ome.zarr", mode="r"), zarr.create_group(folder / "copied.zarr")
    level = layout.levels[0]
    sides = [length * step for length, step in zip(level.grid, level.tile, strict=True)]
    for path in ("0", "labels/segmentation/0"):
        array: Any = source[path]
        chunks, shards = (1, 1, 1, *level.tile), (1, 1, level.depth, *sides)
        new = copied.create_array(path, shape=array.shape, dtype=array.dtype, chunks=chunks, shards=shards)
        for z in range(0, array.shape[2], level.depth):
            new[0, 0, z : z + level.depth] = array[0, 0, z : z + level.depth]
