"""Call a segmentation function with pixels: give it what it works on, and check what it returns."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from inspect import unwrap
from traceback import extract_tb
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from idr_assets.imaging.planes import Block
from idr_assets.imaging.segmentation.decorators import find_direct, find_thresholds
from idr_assets.imaging.segmentation.label_numbers import Labels, Pixels, check_labels, number
from idr_assets.imaging.segmentation.lifting import SegmentationFunction, as_numbers, find_core
from idr_assets.imaging.segmentation.models.batches import label_stack
from idr_assets.imaging.segmentation.models.loading import find_model
from idr_assets.imaging.segmentation.works_on import WorksOn, works_on

if TYPE_CHECKING:
    import dask.array as da

ENDINGS = (SystemExit, KeyboardInterrupt)
"""What ends the thread of a dask worker unless it is caught; the run would wait for it forever."""

type Thresholds = npt.NDArray[np.object_]


@dataclass(frozen=True)
class Part:
    """Planes to label: what a function works on, the planes themselves, and those whose pixels were read for them."""

    works: WorksOn
    block: Block
    read: Block

    @classmethod
    def all_of(cls, pixels: Pixels, works: WorksOn) -> Self:
        """Take every plane of pixels (t, c, z, y, x)."""
        t, c, z = map(range, pixels.shape[:3])
        return cls(works, Block(t, tuple(c), z), Block(t, tuple(c), z))

    @property
    def inside(self) -> slice:
        """Where the slices of the planes lie in what is labelled."""
        first = self.read.z.start if self.works.unit == "volume" else self.block.z.start
        return slice(self.block.z.start - first, self.block.z.stop - first)


def label(
    function: SegmentationFunction,
    parameters: Mapping[str, Any],
    pixels: Pixels,
    plane_chunks: tuple[int, int],
    part: Part | None = None,
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
    part
        Which planes the pixels are of, and which of them are to be labelled; all, each channel by itself, if None.

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
    part = part or Part.all_of(pixels, works_on(function))
    if part.works.by_units:
        labels, thresholds = _label_units(function, parameters, part, pixels), None
    else:
        stacks = list(map(as_numbers, part.works.stack(pixels, part.block, part.read)))
        computed, thresholds = _compute(function, parameters, part.works, stacks, plane_chunks)
        labels = check_labels(computed, stacks[0].shape, find_name(function))
    found = list(labels)
    numbered = [number(unit) for unit in found]
    if any(new is not old for new, old in zip(numbered, found, strict=True)):
        labels = np.stack(numbered)
    each = np.full(len(labels), None) if thresholds is None else thresholds.astype(np.object_)
    shape = len(part.block.t), len(part.block.c), -1
    labels = labels.reshape(*shape, *pixels.shape[3:])[:, :, part.inside]
    return labels, np.broadcast_to(each.reshape(shape), labels.shape[:3])


def _label_units(
    function: SegmentationFunction, parameters: Mapping[str, Any], part: Part, pixels: Pixels
) -> npt.NDArray[np.int32]:
    """Label each plane or volume of a part by a function of several numpy arrays, which gets copies."""
    core, name = find_core(function), find_name(function)
    shape = pixels.shape[2 if part.works.unit == "volume" else 3 :]
    found = []
    try:
        for arrays in part.works.units(pixels, part.block, part.read):
            own = [as_numbers(array.astype(array.dtype.newbyteorder("="))) for array in arrays]
            found.append(check_labels(part.works.call(core, own, parameters), shape, name))
    except ENDINGS as error:
        raise _end(name, error) from error
    except Exception as error:
        _note_place(error, function)
        raise
    return np.stack(found)


def _compute(
    function: SegmentationFunction,
    parameters: Mapping[str, Any],
    works: WorksOn,
    stacks: Sequence[Pixels],
    plane_chunks: tuple[int, int],
) -> Any:  # noqa: ANN401
    try:
        if find_model(function):
            return works.call(partial(label_stack, function), stacks, parameters), None
        if (direct := find_direct(function)) and plane_chunks == stacks[0].shape[-2:]:
            return direct(*stacks, **parameters)
        import dask.array as da  # noqa: PLC0415  half a second, for functions without a direct form only

        # Without a name: it would be a hash of all pixels.
        lazy = [da.from_array(it, chunks=(*it.shape[:-2], *plane_chunks), name=False) for it in stacks]
        labels = _check_lazy(works.call(function, lazy, parameters), find_name(function))
        found = find_thresholds(function)
        thresholds = works.call(found, lazy, parameters) if found else None
        return da.compute(labels, thresholds, scheduler="synchronous")
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
