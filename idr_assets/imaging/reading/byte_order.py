"""Tell from pixels whether their byte order is the declared one: no length and no checksum of a store does."""

from typing import Any

import numpy as np
import numpy.typing as npt

MUCH = 2
"""So many times smoother must pixels be with their bytes turned round: noise is equally rough either way."""


def looks_swapped(pixels: npt.NDArray[Any]) -> bool:
    """Tell whether pixels (y, x) of any real dtype are much smoother with the bytes of each turned round.

    Pixels that cannot tell, such as noise alone or whole numbers below 256, count as right.
    """
    if pixels.itemsize == 1 or min(pixels.shape) < MUCH:
        return False
    swapped = pixels.byteswap()
    return MUCH * _roughness(swapped) < _roughness(pixels) or (_tiny(pixels) and not _tiny(swapped))


def _tiny(pixels: npt.NDArray[Any]) -> bool:
    """Tell whether most of the pixels that are not 0 are too small for a normal float, as swapped whole numbers are."""
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
