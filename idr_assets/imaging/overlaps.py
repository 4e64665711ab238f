"""Which objects of two label planes overlap, and by how much."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

type LabelPlane = npt.NDArray[np.integer[Any]]


class Overlaps(NamedTuple):
    """Pairs of objects of two planes that share pixels, in the order of `one`, then of `other`.

    Attributes
    ----------
    one, other : array (pairs,)
        Labels of the two objects.
    iou : array (pairs,) of float64
        Intersection over union.

    """

    one: npt.NDArray[np.intp]
    other: npt.NDArray[np.intp]
    iou: npt.NDArray[np.float64]


def find_overlaps(one: LabelPlane, other: LabelPlane) -> Overlaps:
    """Find the pairs of objects of two planes (y, x) that share pixels; labels are 0 for the background, or above."""
    shape = int(one.max()) + 1, int(other.max()) + 1
    pairs, common = np.unique(np.ravel_multi_index((one, other), shape), return_counts=True)
    labels, others = np.unravel_index(pairs, shape)
    union = np.bincount(one.ravel())[labels] + np.bincount(other.ravel())[others] - common
    objects = (labels > 0) & (others > 0)
    return Overlaps(labels[objects], others[objects], (common / union)[objects])
