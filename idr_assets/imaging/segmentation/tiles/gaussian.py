"""`gaussian_threshold` by tiles: bit for bit the labels of the plane in one piece."""
# mypy: no-warn-return-any
# What scipy returns is not typed.

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import scipy

from idr_assets.imaging.segmentation.label_numbers import Labels, Pixels
from idr_assets.imaging.segmentation.lifting import as_filtered
from idr_assets.imaging.segmentation.tiles.forms import Found, Inside, Known, Mask, join_touching


@dataclass(frozen=True)
class GaussianTiles:
    """See `TiledForm`; parameters are those of the recipe."""

    sigma: float
    threshold_fraction: float

    passes: ClassVar[int] = 1
    splits: ClassVar[bool] = False
    exact: ClassVar[bool] = True
    bytes_per_pixel: ClassVar[float] = 35.0
    seconds_per_megapixel: ClassVar[float] = 0.3
    overlap: ClassVar[int] = 1

    @property
    def halo(self) -> int:
        """Return how far scipy's gaussian reaches."""
        return int(4 * self.sigma + 0.5)

    def look(self, pixels: Pixels, inside: Inside, known: Known) -> Any:  # noqa: ANN401, ARG002  a number of numpy
        """Return the maximum of the smoothed tile."""
        return self._smooth(pixels)[inside].max()

    def gather(self, found: Sequence[Any], known: Known) -> Any:  # noqa: ANN401, ARG002  a number of numpy
        """Return the threshold of the plane."""
        return float(self.threshold_fraction) * np.array(found).max()

    def threshold(self, known: Known) -> float | None:
        """Return the threshold."""
        return float(known[0])

    def label(self, pixels: Pixels, inside: Inside, ring: Mask, known: Known) -> Found:
        """Label what is above the threshold."""
        labels = np.empty(ring.shape, np.int32)
        scipy.ndimage.label(self._smooth(pixels)[inside] > known[0], output=labels)
        return Found(labels)

    def join(self, one: Labels, other: Labels) -> npt.NDArray[np.intp]:
        """Join what lies on the same pixels."""
        return join_touching(one, other)

    def split(self, piece: Mask) -> tuple[Labels, npt.NDArray[np.intp]]:
        """Split nothing."""
        raise NotImplementedError

    def _smooth(self, pixels: Pixels) -> Pixels:
        return scipy.ndimage.gaussian_filter(as_filtered(pixels), self.sigma)
