"""Whether pixels have the declared byte order: only the pixels show it, no length and no checksum does."""

from typing import Any

import numpy as np
import numpy.typing as npt

MUCH = 2
"""Pixels count as swapped if they are so many times smoother with their bytes swapped; noise is as rough either way."""


def looks_swapped(pixels: npt.NDArray[Any]) -> bool:
    """Whether pixels (y, x) of any real dtype are much smoother with the bytes of each swapped.

    Pixels that do not show it, such as noise alone or whole numbers below 256, count as right.
    """
    if pixels.itemsize == 1 or min(pixels.shape) < MUCH:
        return False
    swapped = pixels.byteswap()
    return MUCH * _roughness(swapped) < _roughness(pixels) or (_tiny(pixels) and not _tiny(swapped))


def _tiny(pixels: npt.NDArray[Any]) -> bool:
    """Whether most of the pixels that are not 0 are too small for a normal float, as swapped whole numbers are."""
    values = np.abs(pixels[pixels != 0])
    return pixels.dtype.kind == "f" and values.size > 0 and bool(np.median(values) < np.finfo(pixels.dtype).tiny)


def _roughness(pixels: npt.NDArray[Any]) -> float:
    """Return how much neighbours differ, against all pixels; of floats, how much their exponents vary."""
    with np.errstate(invalid="ignore"):  # swapped floats may be signalling NaN
        values = np.nan_to_num(pixels.astype(np.float64))
    if pixels.dtype.kind == "f":
        return float(np.frexp(values)[1].std())
    differences = np.abs(np.diff(values, axis=0)).mean() + np.abs(np.diff(values, axis=1)).mean()
    return float(differences / values.std()) if values.std() else 0.0
