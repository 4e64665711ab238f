"""The exact median of many float32 that are not below zero, of which a part is seen at a time.

The bits of such numbers, taken as integers, are in the order of the numbers. So they are counted in two passes: by the
upper half of their bits, then those where the median is by the lower half.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

HALF: Final = 16

type Counts = npt.NDArray[np.int64]

type Ranks = tuple[tuple[int, int], ...]
"""For each of the two numbers in the middle: the upper half of its bits, and its rank among those that have it."""


def count_high(values: npt.NDArray[np.float32]) -> Counts:
    """Count values by the upper half of their bits."""
    return np.bincount((values.view(np.uint32) >> HALF).ravel(), minlength=2**HALF)


def find_ranks(counts: Counts) -> Ranks:
    """Find the two values in the middle, which are one if their number is odd."""
    before = np.cumsum(counts)
    middle = [(before[-1] - 1) // 2, before[-1] // 2]
    high = [int(np.searchsorted(before, rank, "right")) for rank in middle]
    return tuple((at, int(rank - before[at] + counts[at])) for at, rank in zip(high, middle, strict=True))


def count_low(values: npt.NDArray[np.float32], ranks: Ranks) -> Counts:
    """Count the values around each of those in the middle by the lower half of their bits, (2, 65536)."""
    bits = values.view(np.uint32)
    each = (bits[bits >> HALF == high] & (2**HALF - 1) for high, _ in ranks)
    return np.stack([np.bincount(low, minlength=2**HALF) for low in each])


def take_median(counts: Counts, ranks: Ranks) -> np.float32:
    """Return the median, as `numpy.median` does."""
    low = [int(np.searchsorted(np.cumsum(own), rank, "right")) for own, (_, rank) in zip(counts, ranks, strict=True)]
    bits = [high << HALF | own for (high, _), own in zip(ranks, low, strict=True)]
    return np.float32(np.mean(np.array(bits, np.uint32).view(np.float32)))
