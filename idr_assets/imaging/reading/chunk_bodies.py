"""Check that the body of a chunk is whole before Zarr decodes it: decoders accept many bodies that are not.

Every wrong length is found. A flipped bit inside a blosc body is not, because blosc has no checksum.
"""

import lzma
import struct
import zlib
from dataclasses import dataclass

import google_crc32c
import numpy as np

from idr_assets.imaging.store_text import cite
from idr_assets.imaging.stores.inflating import INFLATERS, TooMuchError, inflate

BLOSC_HEADER = struct.Struct("<4BIII")
"""Two versions, flags, item size; then the bytes of the chunk, of a block and of the body."""

CRC32C_BYTES = 4

ENTRY_BYTES = 16
"""Offset and length of a chunk in a shard's index."""

EMPTY = 2**64 - 1
"""Offset and length of a chunk that a shard does not hold."""

OVERHEAD = 1024
"""Bytes that a codec adds to a chunk, beside a part of its length."""

PAGE = 2**16
"""Bytes that any body may have: a web page in place of a small chunk is told as one."""

DECODING = (RuntimeError, ValueError, OSError, EOFError, zlib.error, lzma.LZMAError)
"""What decoders raise."""


@dataclass(frozen=True)
class ChunkFormat:
    """How the chunks of an array are encoded, as far as it can be checked.

    Attributes
    ----------
    codec : str, optional
        The id of the compressor in numcodecs; None without a compressor.
    nbytes : int
        Length in bytes of a chunk that is no longer compressed, or the most that it may be where filters change it.
    exact : bool
        Whether it has this length.
    crc32c : bool
        Whether a chunk ends in a CRC32C checksum.

    """

    codec: str | None
    nbytes: int
    exact: bool = True
    crc32c: bool = False

    @property
    def most(self) -> int:
        """Most bytes of an encoded chunk: no codec adds more than 2 % and a few bytes to what it cannot compress."""
        return self.nbytes + self.nbytes // 50 + OVERHEAD

    def wrong(self, body: bytes) -> str | None:
        """Say what is wrong with the body of a whole chunk, or None."""
        if self.crc32c:
            body, checksum = body[:-CRC32C_BYTES], body[-CRC32C_BYTES:]
            if google_crc32c.value(body).to_bytes(CRC32C_BYTES, "little") != checksum:
                return "its CRC32C checksum differs"
        return self._wrong_header(body) if self.codec == "blosc" else self._wrong_length(body)

    def excessive(self, body: bytes) -> str | None:
        """Say that a chunk of a shard holds more than it may, or None; decoding it shows what else is wrong."""
        body = body[: len(body) - self.crc32c * CRC32C_BYTES]
        if self.codec == "blosc":
            return self._wrong_header(body, decode=False)
        return self._wrong_length(body) if self.codec in {*INFLATERS, "lz4", "zstd"} else None

    def _wrong_header(self, body: bytes, *, decode: bool = True) -> str | None:
        if len(body) < BLOSC_HEADER.size:
            return f"it has {len(body)} bytes, less than a blosc header"
        *_, decoded, _, length = BLOSC_HEADER.unpack_from(body)
        if length != len(body):
            return f"it has {len(body)} bytes, its blosc header says {length}"
        # Before it is decoded, which takes as much memory as the header says.
        return self._other_length(decoded) or (self._wrong_length(body) if decode else None)

    def _wrong_length(self, body: bytes) -> str | None:
        try:
            return self._other_length(inflate(self.codec, body, self.nbytes) if self.codec else len(body))
        except TooMuchError:
            return f"it holds more than {self.nbytes} bytes of pixels, which is what the chunk has"
        except DECODING as error:
            return f"{self.codec} cannot decode it ({cite(error)})"

    def _other_length(self, length: int) -> str | None:
        if length == self.nbytes or (length < self.nbytes and not self.exact):
            return None
        return f"it holds {length} bytes of pixels, the chunk has {self.nbytes}"


@dataclass(frozen=True)
class ShardFormat:
    """How shards are laid out.

    Attributes
    ----------
    index : int
        Bytes of the index of its chunks, checksum included.
    at_end : bool
        Whether the index is at the end, or at the start.
    chunk : ChunkFormat or ShardFormat
        How the chunks within are encoded.
    crc32c : bool
        Whether the index ends in a CRC32C checksum.

    """

    index: int
    at_end: bool
    chunk: "ChunkFormat | ShardFormat"
    crc32c: bool = True

    @property
    def most(self) -> int:
        """Most bytes of a shard."""
        return self.index + self.index // ENTRY_BYTES * self.chunk.most

    def wrong(self, body: bytes) -> str | None:
        """Say what is wrong with the body of a whole shard, or None; its chunks are checked when they are decoded."""
        index = body[-self.index :] if self.at_end else body[: self.index]
        if self.crc32c:
            index, checksum = index[:-CRC32C_BYTES], index[-CRC32C_BYTES:]
            if google_crc32c.value(index).to_bytes(CRC32C_BYTES, "little") != checksum:
                return "the CRC32C checksum of its index differs"
        if len(index) % ENTRY_BYTES:
            return f"it has {len(body)} bytes, less than its index"
        entries = np.frombuffer(index, "<u8").reshape(-1, 2).tolist()
        parts = (body[start : start + length] for start, length in entries if start != EMPTY)
        return next(filter(None, map(self.chunk.excessive, parts)), None)

    excessive = wrong
