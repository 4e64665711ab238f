"""Check what a segmentation function returns, and number the labels of a plane or volume."""

from typing import Any

import numpy as np
import numpy.typing as npt

type Pixels = npt.NDArray[Any]
type Labels = npt.NDArray[np.int32]


def check_labels(labels: object, shape: tuple[int, ...], name: str) -> Labels:
    """Return as int32 what the function `name` returned for planes of `shape`.

    Raises TypeError unless it is an integer array of this shape, ValueError for a label below 0 or beyond int32.
    """
    wanted = f"{name} must return integer labels of shape {shape}, as scipy.ndimage.label(mask)[0] is; it returned"
    if not isinstance(labels, np.ndarray) or labels.dtype.kind not in "iu" or labels.shape != shape:
        found = f"{labels.dtype} of shape {labels.shape}" if isinstance(labels, np.ndarray) else type(labels).__name__
        message = f"{wanted} {found}"
        raise TypeError(message)
    if labels.min() < 0 or labels.max() > np.iinfo(np.int32).max:
        message = f"{wanted} values from {labels.min()} to {labels.max()}, not within 0 (background) to 2147483647"
        raise ValueError(message)
    return labels.astype(np.int32, copy=False)


def number(labels: Labels) -> Labels:
    """Change the labels of a plane (y, x) or volume (z, y, x) to 1 to n, in their order."""
    most = int(labels.max(initial=0))
    if most <= labels.size and _count_pixels(labels, most)[1:].all():
        return labels
    return np.searchsorted(np.union1d(0, labels), labels).astype(np.int32)


def _count_pixels(labels: Labels, most: int) -> npt.NDArray[np.int64]:
    """Count the pixels of each label, a megapixel at a time, because numpy needs 8 bytes a pixel to count."""
    rows = max(1, 2**20 * len(labels) // labels.size)
    parts = (labels[start : start + rows].ravel() for start in range(0, len(labels), rows))
    return sum((np.bincount(part, minlength=most + 1) for part in parts), start=np.zeros(most + 1, np.int64))
