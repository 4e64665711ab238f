"""Chunks inside of shards that are not there: the shard's index marks them as empty, and Zarr makes up fill values.

Zarr tells missing chunks by their keys alone, and a chunk inside of a shard has none.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import zarr
from zarr.codecs import ShardingCodec


def empty_chunk(array: zarr.Array[Any], selection: Sequence[Any], values: npt.NDArray[Any]) -> tuple[int, ...] | None:
    """Give the first pixel read of a chunk that its shard marks as empty, None where every chunk is there.

    `values` were read by `array.oindex[selection]`. A chunk that is there may hold nothing but the fill value too, so a
    pixel of each such chunk is read again with another fill value: where the chunk is empty, the pixel becomes that.
    None also for arrays in which missing chunks are to be read as fill values.
    """
    chunk = _inner_chunk(array)
    if chunk is None or array.config.read_missing_chunks:
        return None
    pixels = _blank_chunks(array, chunk, selection, values)
    if not len(pixels):
        return None
    other = array.dtype.type(array.fill_value == 0).item()
    found = np.asarray(_refilled(array, other).vindex[tuple(pixels.T)])
    return next((tuple(pixel) for pixel in pixels[found == other].tolist()), None)


def _inner_chunk(array: zarr.Array[Any]) -> tuple[int, ...] | None:
    """Give the shape of the smallest chunks, a pixel where it cannot be told; None where nothing is sharded."""
    codecs, shape = getattr(array.metadata, "codecs", ()), None
    while isinstance(codec := next(iter(codecs), None), ShardingCodec):
        codecs, shape = codec.codecs, codec.chunk_shape
    return (1,) * array.ndim if any(isinstance(codec, ShardingCodec) for codec in codecs) else shape


def _blank_chunks(
    array: zarr.Array[Any], chunk: tuple[int, ...], selection: Sequence[Any], values: npt.NDArray[Any]
) -> npt.NDArray[np.intp]:
    """Give the first pixel read of each chunk of which nothing but the fill value was read, (n, axes)."""
    blank = np.isnan(values) if np.isnan(array.fill_value) else values == array.fill_value
    firsts = []
    for axis, (length, wanted, step) in enumerate(zip(array.shape, selection, chunk, strict=True)):
        indices = np.arange(length)[wanted]
        starts = np.flatnonzero(np.diff(indices // step, prepend=-1))
        blank = np.logical_and.reduceat(blank, starts, axis)
        firsts.append(indices[starts])
    return np.stack([first[at] for first, at in zip(firsts, np.nonzero(blank), strict=True)], axis=1)


def _refilled(array: zarr.Array[Any], fill_value: float) -> zarr.Array[Any]:
    """Give the array as it would be with another fill value."""
    metadata: Any = array.metadata.to_dict() | {"fill_value": fill_value}
    return zarr.Array(zarr.AsyncArray(metadata, array.store_path, array.config))
