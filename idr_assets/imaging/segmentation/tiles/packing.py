"""Lay the pieces of a mask close together, so that little background is worked on."""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

type Slices = tuple[slice, slice]


def pack(boxes: Sequence[Slices]) -> tuple[tuple[int, int], list[Slices]]:
    """Lay boxes in rows, the highest first, with a pixel around each; return the shape of all, and their new places."""
    sizes = [(box[0].stop - box[0].start, box[1].stop - box[1].start) for box in boxes]
    width = max([math.isqrt(sum((h + 1) * (w + 1) for h, w in sizes)), *(w + 1 for _, w in sizes)], default=0) + 1
    places: list[Slices] = [(slice(0), slice(0))] * len(sizes)
    y, x, below = 1, 1, 1
    for at in sorted(range(len(sizes)), key=lambda at: -sizes[at][0]):
        height, length = sizes[at]
        if x + length + 1 > width:
            y, x = below, 1
        places[at] = slice(y, y + height), slice(x, x + length)
        x, below = x + length + 1, max(below, y + height + 1)
    return (below, width), places


def lay_out(
    values: npt.NDArray[np.float64], pieces: npt.NDArray[np.int32], boxes: Sequence[Slices], background: float
) -> tuple[npt.NDArray[np.float64], list[Slices]]:
    """Copy the values of pieces 1 to n, each in its box, to new places on a background; return both."""
    shape, places = pack(boxes)
    laid = np.full(shape, background)
    for number, (box, place) in enumerate(zip(boxes, places, strict=True), 1):
        laid[place] = np.where(pieces[box] == number, values[box], background)
    return laid, places
