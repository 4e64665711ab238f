"""Label an array by tiles, in this process, as workers do with a stored plane."""

from typing import Any

import numpy as np
import numpy.typing as npt

from idr_assets.imaging.segmentation.label_numbers import Labels, Pixels
from idr_assets.imaging.segmentation.tiles.forms import TiledForm
from idr_assets.imaging.segmentation.tiles.grid import Box, Grid
from idr_assets.imaging.segmentation.tiles.plane import Labelled, label_by_tiles


class ArrayPlane:
    """A plane in memory."""

    def __init__(self, pixels: Pixels) -> None:
        self.pixels, self.labels = pixels, np.full(pixels.shape[-2:], -1, np.int32)

    def read(self, box: Box) -> Pixels:
        return self.pixels[..., *box.slices]

    def write(self, box: Box, labels: Labels) -> None:
        self.labels[box.slices] = labels


def label_array(form: TiledForm, pixels: Pixels, side: tuple[int, int]) -> tuple[Labels, Labelled]:
    """Label a plane (y, x), or (t, c, z, y, x) of several inputs, that is cut into tiles of this height and width."""
    plane = ArrayPlane(pixels)

    def do(jobs: Any) -> list[Any]:  # noqa: ANN401
        return [job.run(plane) for job in jobs]

    found = label_by_tiles(form, Grid((pixels.shape[-2], pixels.shape[-1]), side), do)
    do(found.stores)
    return plane.labels, found


def draw_nuclei(seed: int, shape: tuple[int, int], dtype: npt.DTypeLike = np.uint16) -> Pixels:
    """Draw nuclei that touch, on uneven light and with noise."""
    random = np.random.default_rng(seed)
    y, x = np.ogrid[: shape[0], : shape[1]]
    light = np.full(shape, 60.0) + 30 * np.sin(y / 20)
    for _ in range(shape[0] * shape[1] // 200):
        top, left, radius = random.uniform(0, shape[0]), random.uniform(0, shape[1]), random.uniform(3, 7)
        light = np.maximum(light, np.where((y - top) ** 2 + 1.3 * (x - left) ** 2 < radius**2, 200, 0))
    pixels: Pixels = random.poisson(light).clip(0, 255).astype(dtype)
    return pixels
