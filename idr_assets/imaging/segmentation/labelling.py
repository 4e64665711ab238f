"""Call a segmentation function with pixels: give it what it works on, and check what it returns."""

from collections.abc import Callable, Mapping
from inspect import unwrap
from traceback import extract_tb
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from idr_assets.imaging.segmentation.decorators import find_direct, find_thresholds
from idr_assets.imaging.segmentation.label_numbers import Labels, Pixels, check_labels, number
from idr_assets.imaging.segmentation.lifting import SegmentationFunction, as_numbers
from idr_assets.imaging.segmentation.works_on import works_on

if TYPE_CHECKING:
    import dask.array as da

ENDINGS = (SystemExit, KeyboardInterrupt)
"""What ends the thread of a dask worker unless it is caught; the run would wait for it forever."""

type Thresholds = npt.NDArray[np.object_]


def label(
    function: SegmentationFunction, parameters: Mapping[str, Any], pixels: Pixels, plane_chunks: tuple[int, int]
) -> tuple[Labels, Thresholds]:
    """Compute the labels of pixels by a segmentation function, once.

    Parameters
    ----------
    function, parameters
        The segmentation function, and its keyword arguments.
    pixels
        (t, c, z, y, x) of any real dtype or bool: everything that the function must get, see `WorksOn.reach`.
    plane_chunks
        Height and width of the pieces into which a lazy plane is cut.

    Returns
    -------
    tuple
        Labels (t, c, z, y, x) of int32, numbered from 1 in each plane or volume, and the threshold (t, c, z) of each
        plane, None if the function has none.

    Raises
    ------
    TypeError, ValueError
        If the function returns anything but such labels.
    """
    units = as_numbers(works_on(function).arrange(pixels))
    computed, thresholds = _compute(function, parameters, units, plane_chunks)
    labels = check_labels(computed, units.shape, find_name(function))
    found = list(labels)
    numbered = [number(unit) for unit in found]
    if any(new is not old for new, old in zip(numbered, found, strict=True)):
        labels = np.stack(numbered)
    each = np.full(len(units), None) if thresholds is None else thresholds.astype(np.object_)
    by_plane = np.broadcast_to(each.reshape(*pixels.shape[:2], -1), pixels.shape[:3])
    return labels.reshape(pixels.shape), by_plane


def _compute(
    function: SegmentationFunction, parameters: Mapping[str, Any], units: Pixels, plane_chunks: tuple[int, int]
) -> Any:  # noqa: ANN401
    try:
        if (direct := find_direct(function)) and plane_chunks == units.shape[-2:]:
            return direct(units, **parameters)
        import dask.array as da  # noqa: PLC0415  half a second, for functions without a direct form only

        # Without a name: it would be a hash of all pixels.
        lazy = da.from_array(units, chunks=(*units.shape[:-2], *plane_chunks), name=False)
        labels = _check_lazy(function(lazy, **parameters), find_name(function))
        return da.compute(labels, find_thresholds(function, lazy, parameters), scheduler="synchronous")
    except ENDINGS as error:
        raise _end(find_name(function), error) from error
    except Exception as error:
        _note_place(error, function)
        raise


def _check_lazy(labels: object, name: str) -> "da.Array":
    """Refuse what a function of one plane returns for a stack: it mixes planes that happen to be segmented together."""
    import dask.array as da  # noqa: PLC0415  as above

    if isinstance(labels, da.Array):
        return labels
    message = (
        f"{name} returned {type(labels).__name__} for a stack of planes (n, y, x), not a lazy dask array, so that its "
        "labels are not used. If it is a function of one plane, write @per_plane above it, not @per_stack."
    )
    raise TypeError(message)


def _note_place(error: Exception, function: Callable[..., Any]) -> None:
    """Add the line of the function's file that raised an error, which returns from a worker without its traceback."""
    file = getattr(getattr(unwrap(function), "__code__", None), "co_filename", None)
    for frame in [frame for frame in extract_tb(error.__traceback__) if frame.filename == file][-1:]:
        error.add_note(f"in {frame.name}, {frame.filename}:{frame.lineno}")


def _end(name: str, error: BaseException) -> RuntimeError:
    return RuntimeError(
        f"{name} raised {error!r}, which ends a program: its planes have no labels. Do not call sys.exit in a "
        "segmentation function; return labels, or raise an error such as ValueError."
    )


def find_name(function: SegmentationFunction) -> str:
    """Return the name of a function for messages."""
    return getattr(function, "__qualname__", repr(function))
