"""Check that the body of a chunk is whole before Zarr decodes it: decoders accept many bodies that are not.

Every wrong length is found. A flipped bit inside a blosc body is not, because blosc has no checksum.
"""

import lzma
import math
import struct
import zlib
from dataclasses import dataclass
from typing import Any

import google_crc32c
import numcodecs
import numpy as np
import zarr
from zarr.abc.store import ByteRequest, RangeByteRequest

from idr_assets.imaging.errors import CorruptBodyError, PageError
from idr_assets.imaging.store_text import cite

BLOSC_HEADER = struct.Struct("<4BIII")
"""Two versions, flags, item size; then the bytes of the chunk, of a block and of the body."""

CRC32C_BYTES = 4

ENTRY_BYTES = 16
"""Offset and length of a chunk in a shard's index."""

INDEX = ["bytes", "crc32c"]
"""Codecs of an index that can be checked: those that Zarr recommends."""


@dataclass(frozen=True)
class ChunkFormat:
    """How the chunks of an array are encoded, as far as it can be checked.

    Attributes
    ----------
    codec : str, optional
        The id of the compressor in numcodecs; None without a compressor.
    nbytes : int, optional
        Length in bytes of a decoded chunk; None where filters change it.
    crc32c : bool
        Whether a chunk ends in a CRC32C checksum.

    """

    codec: str | None
    nbytes: int | None
    crc32c: bool = False

    def wrong(self, body: bytes) -> str | None:
        """Say what is wrong with the body of a whole chunk, or None."""
        if self.crc32c:
            body, checksum = body[:-CRC32C_BYTES], body[-CRC32C_BYTES:]
            if google_crc32c.value(body).to_bytes(CRC32C_BYTES, "little") != checksum:
                return "its CRC32C checksum differs"
        return self._wrong_blosc(body) if self.codec == "blosc" else self._wrong_length(body)

    def _wrong_blosc(self, body: bytes) -> str | None:
        if len(body) < BLOSC_HEADER.size:
            return f"it has {len(body)} bytes, less than a blosc header"
        *_, decoded, _, length = BLOSC_HEADER.unpack_from(body)
        if length != len(body):
            return f"it has {len(body)} bytes, its blosc header says {length}"
        # Before it is decoded, which takes as much memory as the header says.
        return self._other_length(decoded) or self._wrong_length(body)

    def _wrong_length(self, body: bytes) -> str | None:
        try:
            decoded = body if self.codec is None else numcodecs.get_codec({"id": self.codec}).decode(body)
        except (RuntimeError, ValueError, OSError, EOFError, zlib.error, lzma.LZMAError) as error:
            return f"{self.codec} cannot decode it ({cite(error)})"
        return self._other_length(np.asarray(decoded).nbytes if self.codec else len(body))

    def _other_length(self, length: int) -> str | None:
        if self.nbytes in {None, length}:
            return None
        return f"it holds {length} bytes of pixels, the chunk has {self.nbytes}"


@dataclass(frozen=True)
class ShardFormat:
    """Where a shard has the index of its chunks: `index` bytes, checksum included, at its end or its start."""

    index: int
    at_end: bool

    def wrong(self, body: bytes) -> str | None:
        """Say what is wrong with the body of a whole shard, or None; its chunks are checked when they are decoded."""
        index = body[-self.index :] if self.at_end else body[: self.index]
        if google_crc32c.value(index[:-CRC32C_BYTES]).to_bytes(CRC32C_BYTES, "little") != index[-CRC32C_BYTES:]:
            return "the CRC32C checksum of its index differs"
        return None


def find_format(array: zarr.Array[Any]) -> ChunkFormat | ShardFormat | None:
    """Return how the chunks of an array are encoded; None if that cannot be checked, as with several compressors."""
    metadata: dict[str, Any] = dict(array.metadata.to_dict())
    nbytes = math.prod(array.chunks) * array.dtype.itemsize
    if "codecs" not in metadata:  # Zarr v2
        compressor = metadata["compressor"]
        return ChunkFormat(compressor and compressor["id"], None if metadata["filters"] else nbytes)
    if array.shards:
        return _find_shard_format(array, metadata["codecs"][-1])
    names = [codec["name"] for codec in metadata["codecs"] if codec["name"] not in {"bytes", "transpose"}]
    crc32c = names[-1:] == ["crc32c"]
    compressors = names[: len(names) - crc32c]
    if len(compressors) > 1 or not set(compressors) <= {"blosc", "zstd", "gzip"}:
        return None
    return ChunkFormat(compressors[0] if compressors else None, nbytes, crc32c)


def _find_shard_format(array: zarr.Array[Any], codec: dict[str, Any]) -> ShardFormat | None:
    if codec["name"] != "sharding_indexed" or [it["name"] for it in codec["configuration"]["index_codecs"]] != INDEX:
        return None
    chunks = math.prod(array.shards or ()) // math.prod(array.chunks)
    return ShardFormat(chunks * ENTRY_BYTES + CRC32C_BYTES, codec["configuration"].get("index_location") != "start")


def check_body(body: bytes, chunks: ChunkFormat | ShardFormat | None) -> None:
    """Raise `CorruptBodyError` where the body of a whole chunk or shard is not what its format says."""
    if looks_like_html(body):
        raise PageError
    if chunks and (wrong := chunks.wrong(body)):
        raise CorruptBodyError(wrong)


def check_length(body: bytes, wanted: ByteRequest) -> None:
    """Raise `CorruptBodyError` unless a part of a chunk has the length that was requested."""
    length = wanted.end - wanted.start if isinstance(wanted, RangeByteRequest) else getattr(wanted, "suffix", len(body))
    if len(body) != length:
        message = f"{length} bytes were requested, the answer has {len(body)}"
        raise PageError if looks_like_html(body) else CorruptBodyError(message)


def looks_like_html(body: bytes) -> bool:
    """Return whether a body is a web page, which servers send in place of files that they do not have."""
    start = body[:200].lstrip().lower()
    return start.startswith((b"<!doctype html", b"<html"))
