"""A network on a large plane: tiles that overlap, each normalised by the intensities of the whole plane."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, override

import numpy as np
import numpy.typing as npt

from idr_assets.imaging.segmentation.label_numbers import Pixels
from idr_assets.imaging.segmentation.models.networks import Normalisation, scale
from idr_assets.imaging.segmentation.tile_overlap import OverlapTiles
from idr_assets.imaging.segmentation.tiles.forms import Found, Inside, Known, Mask
from idr_assets.imaging.segmentation.tiles.medians import (
    HALF,
    Counts,
    count_high,
    count_low,
    find_ranks,
    order,
    restore,
    take_bits,
)

PASSES = {"none": 0, "standard": 1}
"""How often tiles are looked at to normalise them; twice for percentiles and the range."""

type Sparse = tuple[npt.NDArray[np.intp], Counts]
"""Where counts are above zero, and these: few where intensities are integers."""


@dataclass(frozen=True)
class NetworkTiles(OverlapTiles):
    """See `TiledForm`; `function` gets normalised pixels."""

    how: Normalisation = "percentiles"
    percentiles: tuple[float, float] = (1.0, 99.8)

    bytes_per_pixel: ClassVar[float] = 120.0

    @property
    def passes(self) -> int:  # type: ignore[override]
        """Return how often tiles are looked at."""
        return PASSES.get(self.how, 2)

    @override
    def look(self, pixels: Pixels, inside: Inside, known: Known) -> Any:
        """Return of each input its sums, or counts of intensities by the upper half of their bits, then the lower."""
        each = _split(pixels)
        if self.how == "standard":
            return [(one.size, one.sum(dtype=np.longdouble), np.square(one, dtype=np.longdouble).sum()) for one in each]
        if not known:
            return [[_pack(count_high(order(one)))] for one in each]
        return [[*map(_pack, count_low(order(one), ranks))] for one, (_, ranks) in zip(each, known[0], strict=True)]

    @override
    def gather(self, found: Sequence[Any], known: Known) -> Any:
        """Return of each input where the two percentiles are, then what becomes 0 and 1."""
        if self.how == "standard":
            return [_deviate(*np.sum(own, axis=0)) for own in zip(*found, strict=True)]
        totals = [np.stack([_add(rank) for rank in zip(*own, strict=True)]) for own in zip(*found, strict=True)]
        if not known:
            return [self._find_ranks(*own) for own in totals]
        return [_take(own, *wanted) for own, wanted in zip(totals, known[0], strict=True)]

    @override
    def label(self, pixels: Pixels, inside: Inside, ring: Mask, known: Known) -> Found:
        """Label normalised pixels."""
        if not known:
            return super().label(pixels, inside, ring, known)
        scaled = [scale(one, *ends) for one, ends in zip(_split(pixels), known[-1], strict=True)]
        return super().label(np.stack(scaled).reshape(pixels.shape), inside, ring, known)

    def _find_ranks(self, counts: Counts) -> tuple[list[float], Any]:
        """Return how far each percentile is above a rank, and where the values of these ranks and the next are."""
        most = int(counts.sum()) - 1
        at = [share / 100 * most for share in (self.percentiles if self.how == "percentiles" else (0, 100))]
        ranks = [min(int(each) + more, most) for each in at for more in (0, 1)]
        return [each % 1 for each in at], find_ranks(counts, ranks)


def _split(pixels: Pixels) -> Iterator[npt.NDArray[np.float32]]:
    """Yield each input (y, x)."""
    yield from (one.astype(np.float32) for one in pixels.reshape(-1, *pixels.shape[-2:]))


def _deviate(count: np.longdouble, total: np.longdouble, squares: np.longdouble) -> tuple[np.float32, np.float32]:
    mean = total / count
    return np.float32(mean), np.float32(mean + np.sqrt(max(squares / count - mean * mean, np.longdouble(0))))


def _take(counts: Counts, shares: Sequence[float], ranks: Any) -> tuple[np.float32, np.float32]:  # noqa: ANN401
    values = restore(take_bits(counts, ranks)).astype(np.float64)
    low, high = (
        one + (other - one) * share for one, other, share in zip(values[::2], values[1::2], shares, strict=True)
    )
    return np.float32(low), np.float32(high)


def _pack(counts: Counts) -> Sparse:
    at = np.flatnonzero(counts)
    return at, counts[at]


def _add(each: Sequence[Sparse]) -> Counts:
    total = np.zeros(2**HALF, np.int64)
    for at, counts in each:
        total[at] += counts
    return total
