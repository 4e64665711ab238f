"""Planes that are cut into tiles."""

import numpy as np
import numpy.typing as npt

from idr_assets.imaging.segmentation.label_numbers import Pixels


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
