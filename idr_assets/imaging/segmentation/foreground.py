"""The steps of `otsu_watershed`: what is bright against the background, and where it is split."""
# mypy: no-warn-return-any
# What scipy and scikit-image return is typed in part only.

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import scipy  # loads each submodule at its first use, as skimage does
import skimage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from idr_assets.imaging.segmentation.label_numbers import Labels, Pixels

type Mask = npt.NDArray[np.bool_]

type Sigma = float | Sequence[float]
"""Sigma of a gaussian in pixels, one or one an axis."""

SIGMA = 1.4826
"""Standard deviation of a normal distribution by its median absolute deviation, which outliers do not move."""


_ALONE = Lock()


def load_skimage() -> None:
    """Import the parts of scikit-image in one thread at a time.

    They import each other. Two threads that use them for the first time may get half of one, so call this before.
    """
    with _ALONE:
        import skimage.filters  # noqa: PLC0415  half a second, which whoever only names a function should not pay
        import skimage.measure  # noqa: PLC0415
        import skimage.morphology  # noqa: PLC0415
        import skimage.segmentation  # noqa: F401, PLC0415


def find_foreground(pixels: Pixels, sigma: Sigma, background_sigma: Sigma) -> Mask:
    """Return what is bright against the background, see `otsu_watershed`."""
    load_skimage()
    contrast, deviation = find_contrast(pixels, pixels.min(), sigma, background_sigma)
    noise = SIGMA * np.median(deviation)
    return contrast > max(skimage.filters.threshold_otsu(contrast), noise)


def find_contrast(
    pixels: Pixels, minimum: np.generic, sigma: Sigma, background_sigma: Sigma
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Return how much brighter pixels are than the background, and how far each is from what is smooth."""
    even = np.sqrt(np.subtract(pixels, minimum, dtype=np.float32))
    smoothed = scipy.ndimage.gaussian_filter(even, sigma)
    contrast = smoothed - scipy.ndimage.gaussian_filter(even, background_sigma)
    return contrast, np.abs(even - smoothed)


def split_objects(foreground: Mask, steps: Sequence[float], split_depth: float, minimum: float) -> Labels:
    """Split foreground at necks, and drop objects of fewer than `minimum` pixels; `steps` is their distance by axis."""
    load_skimage()
    depth = np.where(foreground, measure_depth(foreground, steps), -split_depth)
    seeds = skimage.measure.label(find_tops(depth, split_depth) & foreground)
    labels = grow_seeds(depth, seeds, foreground)
    return np.where(np.bincount(labels.ravel())[labels] < minimum, 0, labels)


def measure_depth(foreground: Mask, steps: Sequence[float]) -> npt.NDArray[np.float64]:
    """Return how far each pixel is from the background."""
    return scipy.ndimage.distance_transform_edt(foreground, steps)


def find_tops(depth: npt.NDArray[np.float64], split_depth: float) -> Mask:
    """Return the tops that rise by `split_depth` above every way to a deeper one."""
    return skimage.morphology.local_maxima(skimage.morphology.reconstruction(depth - split_depth, depth))


def grow_seeds(depth: npt.NDArray[np.float64], seeds: npt.NDArray[np.int64], foreground: Mask) -> Labels:
    """Grow seeds over the foreground, the deepest pixels first."""
    return skimage.segmentation.watershed(-depth, seeds, mask=foreground, connectivity=foreground.ndim)
