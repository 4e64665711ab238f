"""Labels from Cellpose's outputs: flows that lead from each pixel to the middle of its object."""

from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy

from idr_assets.imaging.segmentation.label_numbers import Labels

type Array = npt.NDArray[Any]

SCALE = 5.0
"""By which flows are longer than one pixel."""

MARGIN = 20
"""Pixels around a plane in the count of where pixels end."""

REACH = 5
"""Pixels to each side of a peak in which its object's pixels end."""

MOST = 0.4
"""Share of a plane above which an object is none."""


def label_flows(  # noqa: PLR0913
    flows: Array, probability: Array, *, threshold: float, error: float, iterations: int, minimum_area: float
) -> Labels:
    """Label the pixels that end in the same place when they follow the flows, equal to Cellpose's own code.

    Parameters
    ----------
    flows
        (2, y, x) of float32, along y and x.
    probability
        (y, x) of float32, as a logit.
    threshold
        Logit above which a pixel is an object's.
    error
        Most mean squared difference of the flows from those that the object itself would have; 0 for any.
    iterations
        Steps of a pixel.
    minimum_area
        Objects with fewer pixels are removed.

    Returns
    -------
    numpy.ndarray
        Labels (y, x) of int32. Holes are filled.
    """
    inside = probability > threshold
    if not inside.any():
        return np.zeros(probability.shape, np.int32)
    ends = _follow(flows * inside / np.float32(SCALE), np.nonzero(inside), iterations)
    labels = np.zeros(probability.shape, np.int32)
    labels[inside] = _gather(ends, probability.shape)
    labels = _renumber(_keep(labels, np.bincount(labels.ravel()) <= MOST * labels.size))
    if error > 0 and labels.any():
        labels = _renumber(_keep(labels, _measure_errors(labels, flows) <= error))
    return _fill(labels, minimum_area)


def _follow(flows: Array, start: tuple[Array, ...], iterations: int) -> npt.NDArray[np.int32]:
    """Move pixels along flows, which are interpolated between pixels; return where they end (2, n)."""
    last = np.array(flows.shape[1:], np.float32)[:, np.newaxis] - 1
    steps = np.pad(flows * (2 / last[..., np.newaxis]), ((0, 0), (1, 2), (1, 2))).astype(np.float32)
    at = (np.array(start, np.float32) / last) * 2 - 1  # from -1 to 1, as torch has it
    for _ in range(iterations):
        place = ((at + 1) * (last + 1) - 1) / 2
        corner = np.floor(place).astype(np.intp)
        high = place - corner
        y, x = corner + 1
        for axis in range(2):
            by_y = [steps[axis, y + i, x] * (1 - high[1]) + steps[axis, y + i, x + 1] * high[1] for i in range(2)]
            at[axis] += by_y[0] * (1 - high[0]) + by_y[1] * high[0]
        np.clip(at, -1, 1, out=at)
    return ((at + 1) * np.float32(0.5) * last).astype(np.int32)


def _gather(ends: npt.NDArray[np.int32], shape: tuple[int, ...]) -> npt.NDArray[np.int32]:
    """Find the peaks of where pixels end, and return the number of the peak of each pixel."""
    ends = ends + MARGIN
    counts = np.zeros([length + 2 * MARGIN for length in shape], np.int32)
    np.add.at(counts, tuple(ends), 1)
    peaks = np.argwhere((counts == scipy.ndimage.maximum_filter(counts, 5, mode="constant")) & (counts > 10))  # noqa: PLR2004
    peaks = peaks[np.argsort(counts[tuple(peaks.T)], kind="stable")]
    numbers = np.zeros_like(counts)
    whole = np.ones((3, 3), bool)
    for peak, (y, x) in enumerate(peaks, 1):
        around = slice(y - REACH, y + REACH + 1), slice(x - REACH, x + REACH + 1)
        seed = np.zeros((2 * REACH + 1,) * 2, bool)
        seed[REACH, REACH] = True
        grown = scipy.ndimage.binary_dilation(seed, whole, iterations=REACH, mask=counts[around] > 2)  # noqa: PLR2004
        numbers[around][grown] = peak
    own: npt.NDArray[np.int32] = numbers[tuple(ends)]
    return own


def _measure_errors(labels: Labels, flows: Array) -> npt.NDArray[np.float64]:
    """Return for each label, from 0, how far the flows are from those that its object would have."""
    own = _diffuse(np.pad(labels, 1))[:, 1:-1, 1:-1]
    apart = ((own - flows / np.float32(SCALE)) ** 2).sum(axis=0)
    return np.concatenate([[0.0], scipy.ndimage.mean(apart, labels, np.arange(1, labels.max() + 1))])


def _diffuse(labels: Labels) -> npt.NDArray[np.float64]:
    """Return the flows (2, y, x) of objects: the direction in which heat from their middles becomes more."""
    width = labels.shape[1]
    inside = np.flatnonzero(labels)
    around = [inside + dy * width + dx for dy, dx in product((-1, 0, 1), repeat=2)]
    same = [labels.flat[at] == labels.flat[inside] for at in around]
    boxes = scipy.ndimage.find_objects(labels)
    middles = [_find_middle(labels, number, box) for number, box in enumerate(boxes, 1)]
    sizes = [sum(side.stop - side.start for side in box) + 2 for box in boxes]
    heat = np.zeros(labels.size)
    for _ in range(2 * max(sizes)):
        heat[middles] += 1
        heat[inside] = sum(heat[at] * own for at, own in zip(around, same, strict=True)) / len(around)
    change = np.array([heat[inside + by] - heat[inside - by] for by in (width, 1)])
    flows = np.zeros((2, labels.size))
    flows[:, inside] = change / (1e-60 + np.sqrt((change**2).sum(axis=0)))
    return flows.reshape(2, *labels.shape)


def _find_middle(labels: Labels, number: int, box: tuple[slice, slice]) -> int:
    """Return the flat index of the pixel of an object that is next to the mean of its pixels."""
    pixels = np.argwhere(labels[box] == number)
    mean = np.round(pixels.mean(axis=0))
    y, x = pixels[((pixels - mean) ** 2).sum(axis=1).argmin()] + [side.start for side in box]
    return int(y * labels.shape[1] + x)


def _fill(labels: Labels, minimum_area: float) -> Labels:
    """Remove small objects and fill holes, in which others may lie."""
    labels = _renumber(_keep(labels, np.bincount(labels.ravel()) >= minimum_area))
    for number, box in enumerate(scipy.ndimage.find_objects(labels), 1):
        if box:
            labels[box][scipy.ndimage.binary_fill_holes(labels[box] == number)] = number
    return _renumber(_keep(labels, np.bincount(labels.ravel()) >= minimum_area))


def _keep(labels: Labels, kept: npt.NDArray[np.bool_]) -> Labels:
    return np.where(kept[labels], labels, 0).astype(np.int32)


def _renumber(labels: Labels) -> Labels:
    """Change labels to 1 to n, in the order in which a plane has them."""
    found, first = np.unique(labels, return_index=True)
    order = found[np.argsort(first)]
    numbers = np.zeros(found[-1] + 1, np.int32)
    numbers[order[order > 0]] = np.arange(1, np.count_nonzero(found) + 1)
    return numbers[labels]
