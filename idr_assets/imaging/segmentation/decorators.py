"""Decorators that make a user's function a segmentation function: what it works on, and its version.

A segmentation function is `(planes: da.Array, **parameters) -> da.Array of int32` of the same shape, 0 background. It
builds an expression and computes nothing. `planes` is (n, y, x), or (n, z, y, x) if the function works on volumes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Concatenate

from idr_assets.imaging.segmentation.lifting import SegmentationFunction, lift
from idr_assets.imaging.segmentation.works_on import declare

if TYPE_CHECKING:
    from collections.abc import Callable

    import dask.array as da

    from idr_assets.imaging.segmentation.label_numbers import Pixels


def versioned[F](
    version: str, *, thresholds: SegmentationFunction | None = None, calls_named: bool = False
) -> Callable[[F], F]:
    """Give a segmentation function a version.

    Parameters
    ----------
    version
        Raise it whenever the same pixels may get other labels: planes of the earlier version are then stale.
    thresholds
        A function of the same arguments that returns lazily the one intensity threshold of each plane or volume, (n,).
    calls_named
        Whether the function calls another segmentation function, whose dotted path is its parameter `function` and
        whose keyword arguments are `parameters`. Its version then belongs to the recipe too.
    """

    def set_version(function: F) -> F:
        vars(function).update(version=version, thresholds=thresholds, calls_named=calls_named)
        return function

    return set_version


def find_thresholds(function: SegmentationFunction) -> SegmentationFunction | None:
    """Return the function of the lazy thresholds (n,) that a segmentation function applies, or None if it has none."""
    thresholds: SegmentationFunction | None = getattr(function, "thresholds", None)
    return thresholds


def direct_form[F](function: SegmentationFunction) -> Callable[[F], F]:
    """Declare a function of a numpy stack (n, y, x) that returns the labels and thresholds of `function`, bit for bit.

    It is called in place of `function` for planes that need not be cut: for small ones, dask's graph takes longer than
    their labels.
    """

    def declare_form(direct: F) -> F:
        vars(function)["direct"] = function, direct
        return direct

    return declare_form


def find_direct(function: SegmentationFunction) -> Callable[..., Any] | None:
    """Return the direct form of a segmentation function; None for one that only has the attributes of another."""
    owner, direct = getattr(function, "direct", None) or (None, None)
    return direct if owner is function else None


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
    return lift(function, "plane", "planes", "(y,x)->(y,x)")


def per_volume[**P](function: Callable[Concatenate[Pixels, P], Pixels]) -> Callable[Concatenate[da.Array, P], da.Array]:
    """Turn a function of one volume, all slices of a timepoint and channel, into a segmentation function.

    A run segments the whole volume even if only some of its slices were launched, and stores those: a slice has the
    same labels in every run. A volume is never cut, so each thread of dask needs memory for one.

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
    return lift(function, "volume", "volumes", "(z,y,x)->(z,y,x)")


def per_stack[F: SegmentationFunction](function: F) -> F:
    """Declare that a function of a stack of planes labels each plane as if it were alone.

    Each run segments a few planes alone as well. If one of them gets other labels, the check `planes_independent` and
    the run fail, and nothing of the run is stored.

    Parameters
    ----------
    function
        `(planes (n, y, x), **parameters) -> labels (n, y, x)`, both lazy dask arrays, labels of an integer dtype. The
        planes are any planes of the image, of several t, c and z.

    Returns
    -------
    Callable
        The function itself.
    """
    return declare(function, "stack")
