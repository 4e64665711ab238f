"""Write planes of which each is one chunk as files, and read them back, without the selection that Zarr makes of each.

The files are those that Zarr writes, which made the arrays and their metadata.
"""

from collections.abc import Iterable
from typing import Any

import numpy.typing as npt
import zarr
from zarr.storage import LocalStore

from idr_assets.imaging.output.disk_files import read_end, write_beside
from idr_assets.imaging.planes import Block
from idr_assets.imaging.stores.chunk_codec import ChunkCodec
from idr_assets.imaging.stores.chunk_keys import key_below

type Bodies = dict[str, bytes]
"""Bodies of chunks by their keys below the output."""


def find_codec(array: zarr.Array[Any]) -> ChunkCodec | None:
    """Give the codecs of an array on a disk of which each chunk is a whole plane; None for any other array."""
    whole = array.chunks == (1, 1, 1, *array.shape[3:])
    return ChunkCodec.of(array) if whole and isinstance(array.store, LocalStore) else None


def write_plane_files(array: zarr.Array[Any], codec: ChunkCodec, block: Block, values: npt.NDArray[Any]) -> Bodies:
    """Store the values (t, c, z, y, x) of a block, and give the bodies of their chunks."""
    bodies: Bodies = {}
    for plane, each in zip(block.planes(), values.reshape(-1, *values.shape[3:]), strict=True):
        key = key_below(array.path, array.metadata.encode_chunk_key((plane.t, plane.c, plane.z, 0, 0)))
        bodies[key] = codec.encode(each)
        write_beside(_path(array, key), bodies[key])
    return bodies


def hold_bodies(array: zarr.Array[Any], bodies: Bodies, keys: Iterable[str]) -> bool:
    """Return whether the files of an array's store have, byte for byte, the bodies of these chunks."""
    return all(key in bodies and read_end(_path(array, key), 0) == bodies[key] for key in keys)


def _path(array: zarr.Array[Any], key: str) -> str:
    store: Any = array.store
    return f"{store.root}/{key}"
