"""Shards in memory: the bytes of many planes in one file, as Zarr's sharding codec reads them.

Zarr's own codec would hold all planes of a shard at once, or encode the shard again for each. Here planes come one by
one; they are encoded by Zarr's codecs, and only the index is put together here.
"""

from dataclasses import dataclass, field
from math import prod
from typing import Any

import google_crc32c
import numpy as np
import numpy.typing as npt
import zarr
from zarr.storage import MemoryStore

from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.ome_zarr.formats import FORMATS
from idr_assets.imaging.stores.chunk_codec import ChunkCodec

ABSENT = 2**64 - 1
"""Offset and length of a chunk that the shard does not have."""


def chunk_codec(dtype: np.dtype[Any], tile: tuple[int, int]) -> ChunkCodec:
    """Return Zarr's codecs for the chunks (y, x) of a shard; raise `ImageError` if this version has them otherwise."""
    compressors = FORMATS["0.5"].array["compressors"]
    array: zarr.Array[Any] = zarr.create_array(
        MemoryStore(), shape=tile, dtype=dtype, chunks=tile, fill_value=0, compressors=compressors
    )
    codec = ChunkCodec.of(array)
    if codec is None:
        message = (
            f"Zarr {zarr.__version__} encodes no chunk by itself, so nothing is published. Install another version."
        )
        raise ImageError(message)
    return codec


@dataclass
class Shard:
    """The planes of one shard, as they come.

    Attributes
    ----------
    codec : ChunkCodec
        Encodes a chunk (y, x).
    grid : tuple of int
        Planes, and chunks of a plane along y and x.

    """

    codec: ChunkCodec
    grid: tuple[int, int, int]
    body: bytearray = field(default_factory=bytearray)

    def __post_init__(self) -> None:
        """Begin without any chunk."""
        self.index = np.full((prod(self.grid), 2), ABSENT, "<u8")

    def add(self, at: int, plane: npt.NDArray[Any]) -> None:
        """Add a plane (y, x) at a place of the shard; planes come in ascending order, and some may be left out."""
        _, rows, columns = self.grid
        height, width = self.codec.spec.shape
        for place in range(rows * columns):
            y, x = height * (place // columns), width * (place % columns)
            encoded = self.codec.encode(_fill(plane[y : y + height, x : x + width], (height, width)))
            self.index[at * rows * columns + place] = len(self.body), len(encoded)
            self.body += encoded

    def close(self) -> bytearray | None:
        """Return the whole shard, or None if it has no plane; nothing can be added any more."""
        if not self.body:
            return None
        index = self.index.tobytes()
        self.body += index + google_crc32c.value(index).to_bytes(4, "little")
        return self.body


def _fill(part: npt.NDArray[Any], tile: tuple[int, int]) -> npt.NDArray[Any]:
    """Fill a part at the end of a plane with zeros to a whole chunk."""
    missing = [(0, length - present) for length, present in zip(tile, part.shape, strict=True)]
    return np.pad(part, missing) if any(map(any, missing)) else part
