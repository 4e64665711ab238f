"""Find missing chunks inside shards: the shard's index marks them as empty, and Zarr reads fill values.

Zarr reports missing chunks by their keys, and a chunk inside a shard has no key.
"""

from collections.abc import Sequence
from copy import copy
from typing import Any

import numpy as np
import numpy.typing as npt
import zarr
from zarr.codecs import ShardingCodec


def read_selection(
    array: zarr.Array[Any], selection: tuple[Any, ...]
) -> tuple[npt.NDArray[Any], tuple[int, ...] | None]:
    """Read a selection as `array.oindex` does, and find a pixel whose chunk its shard marks as empty, if there is one.

    Returns
    -------
    values : numpy.ndarray
        The pixels, in the order of the stored axes.
    empty : tuple of int, optional
        Index of the first pixel read of an empty chunk, for each stored axis.

    """
    values = np.asarray(array.oindex[selection])
    return values, _find_empty(array, selection, values)


def _find_empty(array: zarr.Array[Any], selection: Sequence[Any], values: npt.NDArray[Any]) -> tuple[int, ...] | None:
    """Find an empty chunk; None also in arrays whose missing chunks are read as fill values.

    A chunk that exists may hold only the fill value too, so one pixel of each such chunk is read again with another
    fill value: if the chunk is empty, the pixel has the new value.
    """
    chunk = _find_inner_chunk(array)
    if chunk is None or array.config.read_missing_chunks:
        return None
    pixels = _find_blank_chunks(array, chunk, selection, values)
    if not len(pixels):
        return None
    other = array.dtype.type(array.fill_value == 0).item()
    found = np.asarray(_refill(array, other).vindex[tuple(pixels.T)])
    return next((tuple(pixel) for pixel in pixels[found == other].tolist()), None)


def _find_inner_chunk(array: zarr.Array[Any]) -> tuple[int, ...] | None:
    """Return the shape of the smallest chunks, one pixel if it is not known; None if nothing is sharded."""
    codecs, shape = getattr(array.metadata, "codecs", ()), None
    while isinstance(codec := next(iter(codecs), None), ShardingCodec):
        codecs, shape = codec.codecs, codec.chunk_shape
    return (1,) * array.ndim if any(isinstance(codec, ShardingCodec) for codec in codecs) else shape


def _find_blank_chunks(
    array: zarr.Array[Any], chunk: tuple[int, ...], selection: Sequence[Any], values: npt.NDArray[Any]
) -> npt.NDArray[np.intp]:
    """Return the first pixel read of each chunk of which only the fill value was read, (n, axes)."""
    blank = np.isnan(values) if np.isnan(array.fill_value) else values == array.fill_value
    firsts = []
    for axis, (length, wanted, step) in enumerate(zip(array.shape, selection, chunk, strict=True)):
        indices = np.arange(length)[wanted]
        starts = np.flatnonzero(np.diff(indices // step, prepend=-1))
        blank = np.logical_and.reduceat(blank, starts, axis)
        firsts.append(indices[starts])
    return np.stack([first[at] for first, at in zip(firsts, np.nonzero(blank), strict=True)], axis=1)


def _refill(array: zarr.Array[Any], fill_value: float) -> zarr.Array[Any]:
    """Return the array with another fill value."""
    metadata: Any = copy(array.metadata)
    object.__setattr__(metadata, "fill_value", array.dtype.type(fill_value))  # frozen
    return zarr.Array(zarr.AsyncArray(metadata, array.store_path, array.config))
