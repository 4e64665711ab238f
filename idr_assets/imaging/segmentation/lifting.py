"""Call functions of numpy arrays, such as one plane, for each unit of a lazy dask array."""
# mypy: no-warn-return-any
# What dask returns is typed in part only.

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate

import numpy as np
import numpy.typing as npt

from idr_assets.imaging.segmentation.label_numbers import Labels, Pixels, check_labels, number
from idr_assets.imaging.segmentation.works_on import Unit, declare

if TYPE_CHECKING:
    import dask.array as da

type SegmentationFunction = Callable[..., da.Array]


def lift[**P](
    function: Callable[Concatenate[Pixels, P], Pixels], unit: Unit, name: str, core: str
) -> Callable[Concatenate[da.Array, P], da.Array]:
    """Turn a function of one unit into a segmentation function of a lazy array of many units.

    Parameters
    ----------
    function
        `(pixels of one unit, **parameters) -> labels`, both numpy arrays of the same shape.
    unit, name
        What the function works on, and the name of the new function's first argument.
    core
        The axes of a unit as a signature of numpy, for example `(y,x)->(y,x)`.
    """
    signature = inspect.signature(function)
    first, *others = signature.parameters.values()
    parameters = [first.replace(name=name, annotation="da.Array", kind=first.POSITIONAL_ONLY), *others]

    @wraps(function)
    def segment(units: da.Array, /, *args: P.args, **kwargs: P.kwargs) -> da.Array:
        def label(pixels: Pixels) -> Labels:
            own = as_numbers(pixels.astype(pixels.dtype.newbyteorder("=")))
            return number(check_labels(function(own, *args, **kwargs), pixels.shape, segment.__qualname__))

        signature.bind(units, *args, **kwargs)
        return map_units(label, units, np.int32, core)

    vars(segment)["__signature__"] = signature.replace(parameters=parameters, return_annotation="da.Array")
    vars(segment)["core"] = segment, function
    return declare(segment, unit)


def find_core(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function of numpy arrays that was lifted; the function itself if it takes lazy arrays."""
    owner, core = getattr(function, "core", None) or (None, None)
    return core if core and owner is function else function


def map_units(
    function: Callable[[Pixels], Pixels], units: da.Array, dtype: npt.DTypeLike, core: str = "(y,x)->(y,x)"
) -> da.Array:
    """Call a function lazily with each whole plane of (n, y, x), or each unit that `core` names, as a numpy array."""
    import dask.array as da  # noqa: PLC0415  half a second, which whoever only names a function should not pay

    def call(several: Pixels) -> Pixels:
        found = [function(unit) for unit in several]
        return found[0][np.newaxis] if len(found) == 1 else np.stack(found)  # a large plane is not copied

    return da.apply_gufunc(call, core, units, allow_rechunk=True, output_dtypes=dtype)


def as_numbers[A: (Pixels, "da.Array")](pixels: A) -> A:
    """Convert a mask, of dtype bool, to float32 of 0.0 and 1.0: smoothed as bool or integers it would be lost."""
    return pixels.astype(np.float32) if pixels.dtype == np.bool_ else pixels


def as_filtered[A: (Pixels, "da.Array")](pixels: A) -> A:
    """Convert what scipy does not filter, which is bool and float16, to float32."""
    half = pixels.dtype.newbyteorder("=") == np.float16
    return pixels.astype(np.float32) if half else as_numbers(pixels)
