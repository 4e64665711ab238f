"""What makes a user's own function a segmentation function: what it works on, and its version.

A segmentation function is `(planes: da.Array, **parameters) -> da.Array of int32` of the same shape, 0 background. It
builds an expression and computes nothing. `planes` is (n, y, x), or (n, z, y, x) where the function works on volumes.
"""
# mypy: no-warn-return-any
# What dask returns is typed in part only.

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate

import numpy as np
import numpy.typing as npt

from idr_assets.imaging.segmentation.label_numbers import Labels, Pixels, check_labels, number
from idr_assets.imaging.segmentation.works_on import Unit, declare

if TYPE_CHECKING:
    import dask.array as da

type SegmentationFunction = Callable[..., da.Array]


def versioned[F](version: str, *, thresholds: SegmentationFunction | None = None) -> Callable[[F], F]:
    """Give a segmentation function a version.

    Parameters
    ----------
    version
        Raise it whenever the same pixels may get other labels: planes of the earlier version are then stale.
    thresholds
        A function of the same arguments that returns lazily the one intensity threshold of each plane or volume, (n,).
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
        native byte order; masks, of dtype bool, as float32 of 0.0 and 1.0. Its labels may have any integer dtype, and
        gaps.

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
    return _lift(function, "plane", "planes", "(y,x)->(y,x)")


def per_volume[**P](function: Callable[Concatenate[Pixels, P], Pixels]) -> Callable[Concatenate[da.Array, P], da.Array]:
    """Turn a function of one volume, all slices of a timepoint and channel, into a segmentation function.

    A run labels the whole volume whichever of its slices were launched, and stores those: a slice has the same labels
    in every run. A volume is never cut, so each thread of dask needs memory for one.

    Parameters
    ----------
    function
        `(volume (z, y, x), **parameters) -> labels (z, y, x)`, both numpy arrays. It gets a copy of each whole volume,
        in native byte order; masks, of dtype bool, as float32 of 0.0 and 1.0. Its labels may have any integer dtype,
        and gaps.

    Returns
    -------
    Callable
        `(volumes (n, z, y, x), **parameters) -> labels (n, z, y, x)`, both lazy dask arrays. Labels are int32 and 1..n
        in each volume, in the order of those that `function` returns: an object has one number in all of its slices.

    Raises
    ------
    TypeError, ValueError
        As `per_plane`.
    """
    return _lift(function, "volume", "volumes", "(z,y,x)->(z,y,x)")


def per_stack[F: SegmentationFunction](function: F) -> F:
    """Say that a function of a stack of planes labels each plane as if it were alone.

    Each run labels a few planes alone as well. If one comes out differently, the check `planes_independent` and the run
    fail, and nothing of it is stored.

    Parameters
    ----------
    function
        `(planes (n, y, x), **parameters) -> labels (n, y, x)`, both lazy dask arrays, labels of an integer dtype. The
        planes are any of the image: of several t, c and z, and as many as suit.

    Returns
    -------
    Callable
        The function itself.
    """
    return declare(function, "stack")


def _lift[**P](
    function: Callable[Concatenate[Pixels, P], Pixels], unit: Unit, name: str, core: str
) -> Callable[Concatenate[da.Array, P], da.Array]:
    """Turn a function of one unit into one of a lazy array of many, of which `core` are the axes that it takes."""
    signature = inspect.signature(function)
    first, *others = signature.parameters.values()
    parameters = [first.replace(name=name, annotation="da.Array", kind=first.POSITIONAL_ONLY), *others]

    @wraps(function)
    def segment(units: da.Array, /, *args: P.args, **kwargs: P.kwargs) -> da.Array:
        def label(pixels: Pixels) -> Labels:
            own = as_numbers(pixels.astype(pixels.dtype.newbyteorder("=")))
            return number(check_labels(function(own, *args, **kwargs), pixels.shape, segment.__qualname__))

        signature.bind(units, *args, **kwargs)
        return for_each(label, units, np.int32, core)

    vars(segment)["__signature__"] = signature.replace(parameters=parameters, return_annotation="da.Array")
    return declare(segment, unit)


def for_each(
    function: Callable[[Pixels], Pixels], units: da.Array, dtype: npt.DTypeLike, core: str = "(y,x)->(y,x)"
) -> da.Array:
    """Call a function lazily with each whole plane of (n, y, x), or with what else `core` names, as a numpy array."""
    import dask.array as da  # noqa: PLC0415  half a second, which whoever only names a function should not pay

    def each(several: Pixels) -> Pixels:
        found = [function(unit) for unit in several]
        return found[0][np.newaxis] if len(found) == 1 else np.stack(found)  # a large plane is not copied

    return da.apply_gufunc(each, core, units, allow_rechunk=True, output_dtypes=dtype)


def as_numbers[A: (Pixels, "da.Array")](pixels: A) -> A:
    """Take a mask, of dtype bool, as float32 of 0.0 and 1.0: smoothed as bool or whole numbers it would be lost."""
    return pixels.astype(np.float32) if pixels.dtype == np.bool_ else pixels
