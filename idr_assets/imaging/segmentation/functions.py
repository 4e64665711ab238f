"""Segmentation functions: a lazy stack of planes in, a lazy stack of labels out.

A segmentation function is `(planes: da.Array (n, y, x), **parameters) -> da.Array (n, y, x) of int32`: 0 background and
1..n one object each, numbered in its plane. It builds an expression and computes nothing. Here belong such functions
and what makes a user's own function one; reading, writing and measuring stand elsewhere.
"""
# mypy: no-warn-return-any
# What dask, dask-image, scipy and scikit-image return is typed in part only.

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from functools import partial, wraps
from typing import TYPE_CHECKING, Annotated, Any, Concatenate

import numpy as np
import numpy.typing as npt
import scipy  # loads each submodule at its first use, as skimage does
import skimage
from annotated_types import Ge, Gt, Lt

from idr_assets.imaging.segmentation.label_numbers import Labels, Pixels, checked, renumbered

if TYPE_CHECKING:
    import dask.array as da

type SegmentationFunction = Callable[..., da.Array]
type NotNegative = Annotated[float, Ge(0), Lt(math.inf)]
type Positive = Annotated[float, Gt(0), Lt(math.inf)]


def versioned[F](version: str, *, thresholds: SegmentationFunction | None = None) -> Callable[[F], F]:
    """Give a segmentation function a version.

    Parameters
    ----------
    version
        Raise it whenever the same pixels may get other labels: planes of the earlier version are then stale.
    thresholds
        A function of the same arguments that returns lazily the one intensity threshold of each plane, (n,).
    """

    def set_version(function: F) -> F:
        vars(function).update(version=version, thresholds=thresholds)
        return function

    return set_version


def threshold_of(function: SegmentationFunction, planes: da.Array, parameters: Mapping[str, Any]) -> da.Array | None:
    """Give the lazy thresholds (n,) that a segmentation function applies to `planes`, None where it has none."""
    thresholds: SegmentationFunction | None = getattr(function, "thresholds", None)
    return None if thresholds is None else thresholds(planes, **parameters)


def per_plane[**P](function: Callable[Concatenate[Pixels, P], Pixels]) -> Callable[Concatenate[da.Array, P], da.Array]:
    """Turn a function of one plane into a segmentation function.

    Parameters
    ----------
    function
        `(plane (y, x), **parameters) -> labels (y, x)`, both numpy arrays. It gets a copy of each whole plane, in
        native byte order. Its labels may have any integer dtype, and gaps.

    Returns
    -------
    Callable
        `(planes (n, y, x), **parameters) -> labels (n, y, x)`, both lazy dask arrays. Labels are int32 and 1..n, in the
        order of those that `function` returns. `inspect.signature` shows `planes`, then the parameters.

    Raises
    ------
    TypeError
        If `function` does not take the parameters. Computing raises it if `function` returns anything but an integer
        array of the plane's shape.
    ValueError
        When computing, if a label is negative or exceeds int32.
    """
    signature = inspect.signature(function)
    first, *others = signature.parameters.values()
    parameters = [first.replace(name="planes", annotation="da.Array", kind=first.POSITIONAL_ONLY), *others]

    @wraps(function)
    def segment(planes: da.Array, /, *args: P.args, **kwargs: P.kwargs) -> da.Array:
        def label(plane: Pixels) -> Labels:
            own = plane.astype(plane.dtype.newbyteorder("="))
            return renumbered(checked(function(own, *args, **kwargs), plane.shape, segment.__qualname__))

        signature.bind(planes, *args, **kwargs)
        return _each_plane(label, planes, np.int32)

    vars(segment)["__signature__"] = signature.replace(parameters=parameters, return_annotation="da.Array")
    return segment


def _each_plane(function: Callable[[Pixels], Pixels], planes: da.Array, dtype: npt.DTypeLike) -> da.Array:
    import dask.array as da  # noqa: PLC0415  half a second, which whoever only names a function should not pay

    def each(stack: Pixels) -> Pixels:
        found = [function(plane) for plane in stack]
        return found[0][np.newaxis] if len(found) == 1 else np.stack(found)  # a large plane is not copied

    return da.apply_gufunc(each, "(y,x)->(y,x)", planes, allow_rechunk=True, output_dtypes=dtype)


def threshold_values(planes: da.Array, *, sigma: float = 1.0, threshold_fraction: float = 0.33) -> da.Array:
    """Give the thresholds (n,) of `gaussian_threshold`; one `dask.compute` of both smooths only once."""
    return _smoothed_and_thresholds(planes, sigma, threshold_fraction)[1][:, 0, 0]


@versioned("1", thresholds=threshold_values)
def gaussian_threshold(
    planes: da.Array, *, sigma: NotNegative = 1.0, threshold_fraction: NotNegative = 0.33
) -> da.Array:
    """Label what is brighter than a fraction of the smoothed plane's maximum.

    Bit for bit the recipe of "Load Zarr Image from a public S3 store and analyze it in parallel" (University of Dundee,
    2022). Objects are 4-connected and numbered in raster order.

    Parameters
    ----------
    planes
        (n, y, x) of any real dtype, chunked in any way; float16 is taken as float32.
    sigma
        Of the gaussian, in pixels. It keeps the dtype, and so gives whole numbers for integers.
    threshold_fraction
        Fraction of the smoothed plane's maximum above which a pixel is foreground.

    Returns
    -------
    dask.array.Array
        Labels (n, y, x) of int32.
    """
    smoothed, thresholds = _smoothed_and_thresholds(planes, sigma, threshold_fraction)
    return _each_plane(lambda plane: scipy.ndimage.label(plane)[0], smoothed > thresholds, np.int32)


def _smoothed_and_thresholds(planes: da.Array, sigma: float, threshold_fraction: float) -> tuple[da.Array, da.Array]:
    import dask_image.ndfilters  # noqa: PLC0415  it imports dask.array

    if planes.dtype.newbyteorder("=") == np.float16:
        planes = planes.astype(np.float32)  # scipy filters no float16
    if 4 * sigma > min(planes.shape[1:]):  # dask-image refuses a filter that reaches further than the plane
        smoothed = _each_plane(partial(scipy.ndimage.gaussian_filter, sigma=sigma), planes, planes.dtype)
    else:
        smoothed = dask_image.ndfilters.gaussian_filter(planes, (0, sigma, sigma))
    return smoothed, float(threshold_fraction) * smoothed.max(axis=(1, 2), keepdims=True)


@versioned("1")
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
        (y, x) of any real dtype.
    sigma
        Of the gaussian that smooths the plane, in pixels.
    background_sigma
        Of the gaussian that gives the background, in pixels: about twice an object's radius.
    minimum_area
        Smaller objects are dropped, in pixels.
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
    even = np.sqrt(np.subtract(plane, plane.min(), dtype=np.float32))
    smoothed = scipy.ndimage.gaussian_filter(even, sigma)
    contrast = smoothed - scipy.ndimage.gaussian_filter(even, background_sigma)
    noise = 1.4826 * np.median(np.abs(even - smoothed))  # a standard deviation that outliers do not move
    foreground = contrast > max(skimage.filters.threshold_otsu(contrast), noise)
    depth = np.where(foreground, scipy.ndimage.distance_transform_edt(foreground), -split_depth)
    tops = skimage.morphology.local_maxima(skimage.morphology.reconstruction(depth - split_depth, depth))
    seeds = skimage.measure.label(tops & foreground)
    labels = skimage.segmentation.watershed(-depth, seeds, mask=foreground, connectivity=2)
    return np.where(np.bincount(labels.ravel())[labels] < minimum_area, 0, labels)
