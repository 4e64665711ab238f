"""Label a plane in memory by tiles: the same labels as those of a plane that is stored."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from dask.system import CPU_COUNT

from idr_assets.imaging.segmentation.label_numbers import Labels, Pixels
from idr_assets.imaging.segmentation.tiles.forms import TiledForm
from idr_assets.imaging.segmentation.tiles.grid import Box, Grid
from idr_assets.imaging.segmentation.tiles.plane import Labelled, label_by_tiles


class ArrayPlane:
    """A plane in memory, or several inputs of one."""

    def __init__(self, pixels: Pixels) -> None:
        """Begin without labels."""
        self.pixels, self.labels = pixels, np.zeros(pixels.shape[-2:], np.int32)

    def read(self, box: Box) -> Pixels:
        """Return pixels (..., y, x)."""
        return self.pixels[..., *box.slices]

    def write(self, box: Box, labels: Labels) -> None:
        """Keep the labels (y, x) of a tile."""
        self.labels[box.slices] = labels


def label_array(form: TiledForm, pixels: Pixels, side: tuple[int, int]) -> tuple[Labels, Labelled]:
    """Label a plane (y, x), or (t, c, z, y, x) of several inputs, by tiles of this height and width, in threads."""
    plane = ArrayPlane(pixels)
    with ThreadPoolExecutor(CPU_COUNT) as pool:

        def do(jobs: Sequence[Any]) -> list[Any]:
            return list(pool.map(lambda job: job.run(plane), jobs))

        found = label_by_tiles(form, Grid((pixels.shape[-2], pixels.shape[-1]), side), do)
        do(found.stores)
    return plane.labels, found
