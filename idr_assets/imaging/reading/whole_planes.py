"""Read planes of which each is one chunk: all are fetched at once, and each is decoded into its place.

Zarr makes a selection of each chunk, which costs as much again as the request and its checks.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import zarr
from zarr.core.sync import sync
from zarr.errors import ChunkNotFoundError

from idr_assets.imaging.stores.chunk_codec import ChunkCodec
from idr_assets.imaging.stores.chunk_keys import key_below

type Position = tuple[int, ...]


def find_codec(array: zarr.Array[Any], axes: Sequence[str]) -> ChunkCodec | None:
    """Give the codecs of an array of which each chunk holds one whole plane (y, x); None for any other array."""
    sides, plane = array.chunks[-2:], array.shape[-2:]
    whole = tuple(axes[-2:]) == ("y", "x") and sides[0] >= plane[0] and sides[1] >= plane[1]
    return ChunkCodec.of(array) if whole and set(array.chunks[:-2]) <= {1} else None


def read_whole_planes(array: zarr.Array[Any], codec: ChunkCodec, positions: Sequence[Position]) -> npt.NDArray[Any]:
    """Read the planes at these positions of the grid of chunks, (n, y, x) in the stored dtype.

    Raises
    ------
    ChunkNotFoundError
        If any does not exist, unless such chunks are read as the fill value. It names them as Zarr does.

    """
    planes = np.full((len(positions), *array.shape[-2:]), array.fill_value or 0, array.dtype)
    missing = sync(_fetch_all(array, codec, positions, planes))
    if missing and not array.config.read_missing_chunks:
        raise ChunkNotFoundError("\n".join(f"chunk '{_key(array, at)}' (grid position {at})" for at in missing))
    return planes


async def _fetch_all(
    array: zarr.Array[Any], codec: ChunkCodec, positions: Sequence[Position], planes: npt.NDArray[Any]
) -> list[Position]:
    """Fill in the planes, and give the positions of those that do not exist."""
    fetched = (_fetch(array, codec, at, plane) for at, plane in zip(positions, planes, strict=True))
    return [at for at, exists in zip(positions, await asyncio.gather(*fetched), strict=True) if not exists]


async def _fetch(array: zarr.Array[Any], codec: ChunkCodec, at: Position, plane: npt.NDArray[Any]) -> bool:
    body = await array.store_path.store.get(key_below(array.path, _key(array, at)), codec.spec.prototype)
    if body is not None:
        height, width = plane.shape
        plane[:] = codec.decode(body).reshape(codec.spec.shape[-2:])[:height, :width]
    return body is not None


def _key(array: zarr.Array[Any], at: Position) -> str:
    return array.metadata.encode_chunk_key(at)
