"""The exact median of many float32 that are not below zero, or others by rank, of which a part is seen at a time.

The bits of such numbers, taken as integers, are in the order of the numbers. So they are counted in two passes: by the
upper half of their bits, then those where the wanted ones are by the lower half. `order` gives any numbers such bits.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

HALF: Final = 16

type Counts = npt.NDArray[np.int64]

type Ranks = tuple[tuple[int, int], ...]
"""For each of the wanted numbers: the upper half of its bits, and its rank among those that have it."""

NEGATIVE: Final = np.uint32(2**31)
"""The bit of float32 below zero."""


def order(values: npt.NDArray[np.float32]) -> npt.NDArray[np.uint32]:
    """Return bits that are in the order of any numbers."""
    bits = values.view(np.uint32)
    return np.where(bits & NEGATIVE, ~bits, bits | NEGATIVE)


def restore(bits: npt.NDArray[np.uint32]) -> npt.NDArray[np.float32]:
    """Return the numbers of such bits."""
    return np.where(bits & NEGATIVE, bits ^ NEGATIVE, ~bits).view(np.float32)


def count_high(values: npt.NDArray[Any]) -> Counts:
    """Count values by the upper half of their bits."""
    return np.bincount((values.view(np.uint32) >> HALF).ravel(), minlength=2**HALF)


def find_ranks(counts: Counts, wanted: Sequence[int] = ()) -> Ranks:
    """Find the values of wanted ranks; by default the two in the middle, which are one if their number is odd."""
    before = np.cumsum(counts)
    wanted = wanted or [int(before[-1] - 1) // 2, int(before[-1]) // 2]
    high = [int(np.searchsorted(before, rank, "right")) for rank in wanted]
    return tuple((at, int(rank - before[at] + counts[at])) for at, rank in zip(high, wanted, strict=True))


def count_low(values: npt.NDArray[Any], ranks: Ranks) -> Counts:
    """Count the values around each of the wanted ones by the lower half of their bits, (ranks, 65536)."""
    bits = values.view(np.uint32)
    each = (bits[bits >> HALF == high] & (2**HALF - 1) for high, _ in ranks)
    return np.stack([np.bincount(low, minlength=2**HALF) for low in each])


def take_bits(counts: Counts, ranks: Ranks) -> npt.NDArray[np.uint32]:
    """Return the bits of the wanted values."""
    low = [int(np.searchsorted(np.cumsum(own), rank, "right")) for own, (_, rank) in zip(counts, ranks, strict=True)]
    return np.array([high << HALF | own for (high, _), own in zip(ranks, low, strict=True)], np.uint32)


def take_median(counts: Counts, ranks: Ranks) -> np.float32:
    """Return the median, as `numpy.median` does."""
    return np.float32(np.mean(take_bits(counts, ranks).view(np.float32)))
