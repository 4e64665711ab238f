"""Planes as one lazy dask array. They are read by a function that names each plane that cannot be read."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from idr_assets.imaging.planes import Block

if TYPE_CHECKING:
    import dask.array as da


@dataclass(frozen=True)
class LazyPlanes:
    """What dask cuts into chunks; `read` returns the pixels (t, c, z, y, x) of a block within two slices, y and x."""

    read: Callable[[Block, slice, slice], npt.NDArray[Any]]
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    ndim: Literal[5] = 5

    def array(self, chunks: tuple[int, ...]) -> "da.Array":
        """Return the (t, c, z, y, x) dask array in `chunks`. Computing it reads, and raises what `read` does."""
        import dask.array as da  # noqa: PLC0415  half a second, for this view only

        meta = np.empty((0,) * self.ndim, self.dtype)
        lazy: da.Array = da.from_array(self, chunks, getitem=_chunk, meta=meta)
        return lazy


# Not a method `__getitem__`: dask would pass it any later index, steps and lists too.
def _chunk(planes: LazyPlanes, where: tuple[slice, ...]) -> npt.NDArray[Any]:
    t, c, z = (range(axis.start, axis.stop) for axis in where[:3])
    return planes.read(Block(t, tuple(c), z), where[3], where[4])
