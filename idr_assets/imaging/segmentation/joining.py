"""Join labels of the slices of a volume into objects."""

import numpy as np
import numpy.typing as npt

from idr_assets.imaging.overlaps import find_overlaps
from idr_assets.imaging.segmentation.label_numbers import Labels


def join_slices(labels: Labels, iou: float) -> Labels:
    """Give objects of neighbouring slices that are one object the same number.

    Two objects are one if each is the other's best by intersection over union, and that is at least `iou`. Of equal
    ones, the first is the best.

    Parameters
    ----------
    labels
        (z, y, x) of int32, numbered 1 to n in each slice.
    iou
        Above 0.

    Returns
    -------
    numpy.ndarray
        Labels (z, y, x) of int32, numbered from 1 by their first slice.
    """
    joined = np.empty_like(labels)
    numbers, last = np.zeros(1, np.int32), 0
    for z, found in enumerate(labels):
        own = np.zeros(found.max() + 1, np.int32)
        if z:
            above, below = _match(labels[z - 1], found, iou)
            own[below] = numbers[above]
        new = np.flatnonzero(own[1:] == 0) + 1
        own[new] = np.arange(last + 1, last + 1 + len(new))
        last += len(new)
        joined[z], numbers = own[found], own
    return joined


def _match(above: Labels, below: Labels, iou: float) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Return the labels of objects in two slices that are each other's best, as two arrays (pairs,)."""
    one, other, share = find_overlaps(above, below)
    best = _is_best(one, share) & _is_best(other, share) & (share >= iou)
    return one[best], other[best]


def _is_best(labels: npt.NDArray[np.intp], share: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Return for each pair whether it is the first of those of its label with the largest share."""
    order = np.lexsort((np.arange(len(labels)), -share, labels))
    best = np.zeros(len(labels), bool)
    best[order[np.unique(labels[order], return_index=True)[1]]] = True
    return best
