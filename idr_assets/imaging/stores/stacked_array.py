"""Several arrays of one layout as one array: each chunk stays where it is, only its key is another.

So everything that reads or writes an array does so for the fields of a plate too, and many of them at once.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any

import zarr
from zarr.abc.store import Store
from zarr.core.metadata.v2 import ArrayV2Metadata
from zarr.core.metadata.v3 import ArrayV3Metadata, RegularChunkGridMetadata
from zarr.storage import StorePath

type Position = tuple[int, ...]


@dataclass(frozen=True)
class Stack:
    """Arrays in one store, and the timepoints of each that are stacked, one array after the other.

    Attributes
    ----------
    folders : tuple of str
        The path of each array below the root of the store.
    times : range
        The timepoints that are taken of each.
    axis : int or None
        The dimension of time in each array; None if they have none, and the stack gets one in front.

    """

    folders: tuple[str, ...]
    times: range
    axis: int | None = 0

    def __len__(self) -> int:
        """Count the timepoints of the stack."""
        return len(self.folders) * len(self.times)

    def key(self, at: Position, encode: Callable[[Position], str]) -> str:
        """Return the key of a chunk by its position in the stack; `encode` gives keys within an array."""
        axis = self.axis or 0
        number, t = divmod(at[axis], len(self.times))
        within = () if self.axis is None else (self.times.start + t,)
        return f"{self.folders[number]}/{encode((*at[:axis], *within, *at[axis + 1 :]))}"

    def lengthen(self, lengths: Sequence[int], along: int) -> Position:
        """Return lengths of an array's dimensions, with that of time as it is in the stack."""
        axis = self.axis or 0
        return (*lengths[:axis], along, *lengths[axis + (self.axis is not None) :])


class _StackedV2(ArrayV2Metadata):
    stack: Stack

    def encode_chunk_key(self, chunk_coords: Position) -> str:
        return self.stack.key(chunk_coords, super().encode_chunk_key)


class _StackedV3(ArrayV3Metadata):
    stack: Stack

    def encode_chunk_key(self, chunk_coords: Position) -> str:
        return self.stack.key(chunk_coords, super().encode_chunk_key)


def stack_arrays(array: zarr.Array[Any], store: Store, stack: Stack) -> zarr.Array[Any]:
    """Stack arrays that all have the metadata of `array`, whose chunks hold one timepoint.

    Parameters
    ----------
    array : zarr.Array
        One of the arrays, or one like them.
    store : Store
        The store that holds them.
    stack : Stack
        Which they are.

    """
    about: Any = array.metadata
    values = {field.name: getattr(about, field.name) for field in fields(about)}
    values |= {"shape": stack.lengthen(about.shape, len(stack)), "stack": stack}
    metadata: Any
    if about.zarr_format == 2:  # noqa: PLR2004  of Zarr
        metadata = _StackedV2.__new__(_StackedV2)
        values["chunks"] = stack.lengthen(about.chunks, 1)
    else:
        metadata = _StackedV3.__new__(_StackedV3)
        values["chunk_grid"] = RegularChunkGridMetadata(chunk_shape=stack.lengthen(about.chunk_grid.chunk_shape, 1))
        values["dimension_names"] = None
    vars(metadata).update(values)
    return zarr.Array(zarr.AsyncArray(metadata, StorePath(store, ""), array.async_array.config))
