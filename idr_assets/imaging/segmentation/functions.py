"""The segmentation functions of the project."""
# mypy: no-warn-return-any
# What dask, dask-image, scipy and scikit-image return is typed in part only.

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import scipy  # loads each submodule at its first use

from idr_assets.imaging.segmentation.cutting import in_tiles
from idr_assets.imaging.segmentation.decorators import direct_form, per_plane, per_stack, versioned
from idr_assets.imaging.segmentation.foreground import find_foreground, split_objects
from idr_assets.imaging.segmentation.lifting import as_filtered, map_units
from idr_assets.imaging.segmentation.parameter_types import NotNegative, Positive  # noqa: TC001  read when a YAML is checked
from idr_assets.imaging.segmentation.tiles.gaussian import GaussianTiles
from idr_assets.imaging.segmentation.tiles.otsu import OtsuTiles

if TYPE_CHECKING:
    import dask.array as da

    from idr_assets.imaging.segmentation.label_numbers import Labels, Pixels

__all__ = ["gaussian_threshold", "otsu_watershed", "per_plane", "per_stack", "threshold_values", "versioned"]
# The decorators too, because modules of users import them from here.


def threshold_values(planes: da.Array, *, sigma: float = 1.0, threshold_fraction: float = 0.33) -> da.Array:
    """Return the lazy thresholds (n,) of `gaussian_threshold`; one `dask.compute` of both smooths only once."""
    return _smoothed_and_thresholds(planes, sigma, threshold_fraction)[1][:, 0, 0]


@versioned("1", thresholds=threshold_values)
@in_tiles(GaussianTiles)
@per_stack
def gaussian_threshold(
    planes: da.Array, *, sigma: NotNegative = 1.0, threshold_fraction: NotNegative = 0.33
) -> da.Array:
    """Label what is brighter than a fraction of the smoothed plane's maximum.

    Bit for bit the recipe of "Load Zarr Image from a public S3 store and analyze it in parallel" (University of Dundee,
    2022). Objects are 4-connected and numbered in raster order.

    Parameters
    ----------
    planes
        (n, y, x) of any real dtype or bool, in any chunks; float16 and bool are converted to float32.
    sigma
        Sigma of the gaussian, in pixels. The dtype stays, so that smoothed integers are integers.
    threshold_fraction
        Fraction of the smoothed plane's maximum above which a pixel is foreground.

    Returns
    -------
    dask.array.Array
        Labels (n, y, x) of int32.
    """
    smoothed, thresholds = _smoothed_and_thresholds(planes, sigma, threshold_fraction)
    return map_units(lambda plane: scipy.ndimage.label(plane)[0], smoothed > thresholds, np.int32)


@direct_form(gaussian_threshold)
def _label_directly(
    planes: Pixels, *, sigma: float = 1.0, threshold_fraction: float = 0.33
) -> tuple[Labels, npt.NDArray[Any]]:
    smoothed = scipy.ndimage.gaussian_filter(as_filtered(planes), (0, sigma, sigma))
    thresholds = float(threshold_fraction) * smoothed.max(axis=(1, 2))
    labels = np.empty(planes.shape, np.int32)
    for plane, threshold, own in zip(smoothed, thresholds, labels, strict=True):
        scipy.ndimage.label(plane > threshold, output=own)
    return labels, thresholds


def _smoothed_and_thresholds(planes: da.Array, sigma: float, threshold_fraction: float) -> tuple[da.Array, da.Array]:
    import dask_image.ndfilters  # noqa: PLC0415  it imports dask.array

    planes = as_filtered(planes)
    if 4 * sigma > min(planes.shape[1:]):  # dask-image refuses a filter that reaches further than the plane
        smoothed = map_units(partial(scipy.ndimage.gaussian_filter, sigma=sigma), planes, planes.dtype)
    else:
        smoothed = dask_image.ndfilters.gaussian_filter(planes, (0, sigma, sigma))
    return smoothed, float(threshold_fraction) * smoothed.max(axis=(1, 2), keepdims=True)


@versioned("1")
@in_tiles(OtsuTiles)
@per_plane
def otsu_watershed(
    plane: Pixels,
    *,
    sigma: NotNegative = 1.0,
    background_sigma: Positive = 10,
    minimum_area: NotNegative = 20,
    split_depth: NotNegative = 0.5,
) -> Labels:
    """Label bright objects on an uneven background, and split those that touch.

    The background is subtracted from the smoothed plane, both on the square root of the intensity, in which photon
    noise is even. Foreground is above Otsu's threshold and above the noise of a pixel. A watershed splits objects at
    necks. In YAML, leave `plane` out.

    Parameters
    ----------
    plane
        (y, x) of any real dtype or bool.
    sigma
        Sigma of the gaussian that smooths the plane, in pixels.
    background_sigma
        Sigma of the gaussian that gives the background, in pixels: about twice an object's radius.
    minimum_area
        Objects with fewer pixels are removed.
    split_depth
        How much narrower than both its sides a neck must be to split an object, in pixels of half-width.

    Returns
    -------
    numpy.ndarray
        Labels (y, x) of int32.

    References
    ----------
    N. Otsu, IEEE Trans. SMC 9 (1979) 62; F. Meyer, Signal Processing 38 (1994) 113.
    """
    foreground = find_foreground(plane, sigma, background_sigma)
    return split_objects(foreground, (1.0, 1.0), split_depth, minimum_area)
