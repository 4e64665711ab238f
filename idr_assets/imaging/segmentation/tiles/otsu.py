"""`otsu_watershed` by tiles: its threshold is that of the whole plane, and each connected piece is split by itself.

Where two halves of a piece are equally deep, scikit-image's watershed decides by what else it is given. So a few pixels
on such borders belong to the other half than in a plane in one piece. An object of nearly `minimum_area` pixels may so
be kept or dropped; all else is the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import numpy as np
import numpy.typing as npt
import scipy
import skimage

from idr_assets.imaging.segmentation.foreground import (
    SIGMA,
    find_contrast,
    find_tops,
    grow_seeds,
    load_skimage,
    measure_depth,
)
from idr_assets.imaging.segmentation.label_numbers import Labels, Pixels
from idr_assets.imaging.segmentation.lifting import as_numbers
from idr_assets.imaging.segmentation.tiles.forms import Found, Inside, Known, Mask, find_pieces, join_touching
from idr_assets.imaging.segmentation.tiles.medians import count_high, count_low, find_ranks, take_median
from idr_assets.imaging.segmentation.tiles.packing import lay_out

BINS: Final = 256
"""Of the histogram in which scikit-image looks for Otsu's threshold."""

TOUCHING = np.ones((3, 3), bool)
"""Pixels of a piece touch by sides or corners, as in the watershed."""


@dataclass(frozen=True)
class OtsuTiles:
    """See `TiledForm`; parameters are those of the recipe."""

    sigma: float
    background_sigma: float
    minimum_area: float
    split_depth: float

    passes: ClassVar[int] = 3
    splits: ClassVar[bool] = True
    exact: ClassVar[bool] = False
    bytes_per_pixel: ClassVar[float] = 60.0
    seconds_per_megapixel: ClassVar[float] = 0.8
    overlap: ClassVar[int] = 1

    @property
    def halo(self) -> int:
        """Return how far scipy's gaussian reaches."""
        return int(4 * max(self.sigma, self.background_sigma) + 0.5)

    def look(self, pixels: Pixels, inside: Inside, known: Known) -> Any:  # noqa: ANN401  of three passes
        """Return the minimum; then the range of the contrast and the deviations by order; then its histogram."""
        if not known:
            return as_numbers(pixels)[inside].min()
        contrast, deviation = self._find_contrast(pixels, inside, known)
        if len(known) == 1:
            return contrast.min(), contrast.max(), count_high(deviation)
        lowest, highest, ranks = known[1]
        return np.histogram(contrast, BINS, (lowest, highest))[0], count_low(deviation, ranks)

    def gather(self, found: Sequence[Any], known: Known) -> Any:  # noqa: ANN401  of three passes
        """Return the minimum; then the range of the contrast and where the median is; then the threshold."""
        if not known:
            return np.array(found).min()
        if len(known) == 1:
            low, high, counts = zip(*found, strict=True)
            return np.array(low).min(), np.array(high).max(), find_ranks(sum(counts))
        lowest, highest, ranks = known[1]
        counts, deviations = (sum(each) for each in zip(*found, strict=True))
        noise = SIGMA * take_median(deviations, ranks)
        return max(_find_otsu(counts, lowest, highest), noise)

    def threshold(self, known: Known) -> float | None:  # noqa: ARG002  it is none of intensities
        """Return nothing: the threshold is one of contrast."""
        return None

    def label(self, pixels: Pixels, inside: Inside, ring: Mask, known: Known) -> Found:
        """Label the objects of pieces that are whole, and the other pieces."""
        foreground = self._find_contrast(pixels, inside, known)[0] > known[2]
        components = scipy.ndimage.label(foreground, TOUCHING)[0]
        pieces = find_pieces(components, ring)
        reaching = np.zeros(int(components.max(initial=0)) + 1, np.int32)
        reaching[components[ring]] = -1
        labels, begins = self.split(foreground & (reaching[components] == 0))
        reaching[:] = 0
        reaching[pieces] = np.arange(len(begins) + 1, len(begins) + 1 + len(pieces))
        return Found(labels + reaching[components], len(begins), begins)

    def join(self, one: Labels, other: Labels) -> npt.NDArray[np.intp]:
        """Join what lies on the same pixels."""
        return join_touching(one, other)

    def split(self, piece: Mask) -> tuple[Labels, npt.NDArray[np.intp]]:
        """Split pieces of foreground at necks, each by itself, and drop small objects."""
        load_skimage()
        depth = np.where(piece, measure_depth(piece, (1.0, 1.0)), -self.split_depth)
        pieces = scipy.ndimage.label(piece, TOUCHING)[0]
        boxes = scipy.ndimage.find_objects(pieces)
        seeds = skimage.measure.label(_find_tops(depth, pieces, boxes, self.split_depth))
        numbers, first = np.unique(seeds, return_index=True)
        begins = first[numbers > 0]
        labels = _grow_each(depth, seeds, pieces, boxes, begins)
        kept = np.bincount(labels.ravel(), minlength=len(begins) + 1)[1:] >= self.minimum_area
        return np.insert(np.cumsum(kept) * kept, 0, 0).astype(np.int32)[labels], begins[kept]

    def _find_contrast(self, pixels: Pixels, inside: Inside, known: Known) -> tuple[Pixels, Pixels]:
        found = find_contrast(as_numbers(pixels), known[0], self.sigma, self.background_sigma)
        return found[0][inside], found[1][inside]


def _find_tops(depth: npt.NDArray[np.float64], pieces: Labels, boxes: Sequence[Inside], split_depth: float) -> Mask:
    """Find the tops of all pieces; they do not depend on each other, so that they may lie closer together."""
    laid, places = lay_out(depth, pieces, boxes, -split_depth)
    found = find_tops(laid, split_depth) & (laid > 0)
    tops = np.zeros(depth.shape, bool)
    for box, place in zip(boxes, places, strict=True):
        tops[box] |= found[place]
    return tops


def _grow_each(
    depth: npt.NDArray[np.float64],
    seeds: npt.NDArray[np.int64],
    pieces: Labels,
    boxes: Sequence[Inside],
    begins: npt.NDArray[np.intp],
) -> Labels:
    """Grow the seeds of each piece by themselves; a piece with one seed is its object."""
    of_seeds = pieces.ravel()[begins]
    labels = np.zeros(len(boxes) + 1, np.int32)
    labels[of_seeds] = np.arange(1, len(begins) + 1)
    labels = labels[pieces]
    for piece in np.flatnonzero(np.bincount(of_seeds, minlength=len(boxes) + 1) > 1).tolist():
        box = boxes[piece - 1]
        own = pieces[box] == piece
        labels[box][own] = grow_seeds(depth[box], np.where(own, seeds[box], 0), own)[own]
    return labels


def _find_otsu(counts: npt.NDArray[np.int64], lowest: np.floating[Any], highest: np.floating[Any]) -> Any:  # noqa: ANN401
    """Return Otsu's threshold as scikit-image finds it in all values at once."""
    if lowest == highest:
        return lowest
    load_skimage()
    edges = np.histogram_bin_edges(np.array([lowest, highest]), BINS)
    return skimage.filters.threshold_otsu(hist=(counts, (edges[:-1] + edges[1:]) / 2))
