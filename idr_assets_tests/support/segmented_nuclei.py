"""An image of which every plane is a `nuclei_plane`, behind a server, and its planes segmented without Dagster."""

import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
import numpy.typing as npt
from distributed import Client

from idr_assets.imaging.output.creation import create_output
from idr_assets.imaging.output.output_image import OutputImage
from idr_assets.imaging.planes import Block, Plane, block_size
from idr_assets.imaging.reading.level import open_level
from idr_assets.imaging.segmentation import gaussian_threshold
from idr_assets.imaging.segmentation.block_task import BlockTask
from idr_assets.imaging.segmentation.blocks import segment_blocks
from idr_assets.imaging.segmentation.plane_results import PlaneFailure, PlaneSummary
from idr_assets_tests.support.idr_stores import nuclei_plane, write_image
from idr_assets_tests.support.small_image import recipe
from idr_assets_tests.support.store_server import StoreServer

type Pixels = npt.NDArray[Any]

SHAPE = (4, 2, 5, 40, 50)
PIXELS = np.array([[[nuclei_plane(t, c, z, SHAPE[3:]) for z in range(5)] for c in range(2)] for t in range(4)], ">u2")
WINDOW = Block(range(1, 4), (1,), range(1, 5))


def serve_nuclei(server: StoreServer, pixels: Pixels = PIXELS, **layout: Any) -> str:  # noqa: ANN401  of write_image
    """Write the image in place of an earlier one, and give its address."""
    shutil.rmtree(server.root / "image.zarr", ignore_errors=True)
    write_image(server.root / "image.zarr", pixels, **{"version": "0.4"} | layout)
    return f"{server.url}/image.zarr"


def task_for(
    url: str, output: Path, level: str = "0", function: Callable[..., da.Array] = gaussian_threshold
) -> BlockTask:
    """Open a level and create its output."""
    opened = open_level(url, level)
    return BlockTask(opened, create_output(str(output), opened), function)


def segment(client: Client, task: BlockTask, window: Block) -> list[PlaneSummary | PlaneFailure]:
    """Segment a window in blocks, as a run does."""
    size = block_size(task.level.plane_shape, len(window), 2)
    return list(segment_blocks(client, task, window.cut(task.level.chunks, size)))


def check_planes(output: OutputImage, planes: Iterable[Plane], expected: Iterable[Pixels]) -> None:
    """Compare what is stored of planes with the pixels (y, x) of each, and with the labels that the recipe gives."""
    for plane, pixels in zip(planes, expected, strict=True):
        stored = output.read(plane)
        assert stored is not None
        np.testing.assert_array_equal(stored.pixels, pixels)
        numbers = pixels.astype("f4") if pixels.dtype == bool else pixels
        np.testing.assert_array_equal(stored.labels, recipe(numbers))
