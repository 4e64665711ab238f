"""Check that the body of a chunk is whole before Zarr decodes it: decoders accept many bodies that are not.

Every wrong length is found. A flipped bit inside a blosc body is not, because blosc has no checksum.
"""

import lzma
import struct
import zlib
from collections.abc import Buffer, Mapping
from dataclasses import dataclass
from typing import Any

from zarr.core.buffer import default_buffer_prototype

from idr_assets.imaging.store_text import cite
from idr_assets.imaging.stores.chunk_codec import ChunkCodec
from idr_assets.imaging.stores.inflating import COMPRESSORS, TooMuchError, inflate

BLOSC_HEADER = struct.Struct("<4BIII")
"""Two versions, flags, item size; then the bytes of the chunk, of a block and of the body."""

ENTRY_BYTES = 16
"""Offset and length of a chunk in a shard's index."""

EMPTY = 2**64 - 1
"""Offset and length of a chunk that a shard does not hold."""

OVERHEAD = 1024
"""Bytes that a codec adds to a chunk, beside a part of its length."""

PAGE = 2**16
"""Bytes that any body may have: a web page in place of a small chunk is told as one."""

DECODING = (RuntimeError, ValueError, MemoryError, OSError, EOFError, zlib.error, lzma.LZMAError)
"""What decoders raise."""


@dataclass(frozen=True)
class ChunkFormat:
    """How the chunks of an array are encoded, as far as it can be checked.

    Attributes
    ----------
    codecs : tuple of (mapping, int)
        What encodes the bytes of a chunk, in this order: each codec as numcodecs describes it, and how many times as
        many bytes it makes at most, beside its overhead.
    nbytes : int
        Length in bytes of a chunk before these codecs, or the most that it may be where filters change it.
    exact : bool
        Whether it has this length.
    shard : ShardFormat, optional
        How the shard is laid out that these codecs encode.

    """

    codecs: tuple[tuple[Mapping[str, Any], int], ...]
    nbytes: int
    exact: bool = True
    shard: "ShardFormat | None" = None

    @property
    def most(self) -> int:
        """Most bytes of an encoded chunk: no codec adds more than 2 % and a few bytes to what it cannot compress."""
        return self._bounds()[-1]

    def _bounds(self) -> list[int]:
        bounds = [self.nbytes]
        for _, growth in self.codecs:
            bounds.append(bounds[-1] * growth + bounds[-1] // 50 + OVERHEAD)
        return bounds

    def wrong(self, body: Buffer, *, decode: bool = True) -> str | None:
        """Say what is wrong with the body of a whole chunk, or None.

        Codec after codec is undone, each up to what the next one may have; without `decode` all but a blosc at the end,
        whose header says how much it holds.
        """
        for (codec, _), most in zip(reversed(self.codecs), reversed(self._bounds()[:-1]), strict=True):
            innermost = codec is self.codecs[0][0]
            if codec["id"] == "blosc" and (wrong := self._wrong_header(bytes(body), innermost=innermost)):
                return wrong
            if codec["id"] == "blosc" and innermost and not decode:
                return None
            try:
                body = inflate(codec, body, most)
            except TooMuchError:
                what = " of pixels, which is what the chunk has" if innermost and not self.shard else ""
                return f"it holds more than {most} bytes{what}"
            except DECODING as error:
                return f"{codec['id']} cannot decode it ({cite(error)})"
        return self.shard.wrong(bytes(body)) if self.shard else self._other_length(memoryview(body).nbytes)

    def excessive(self, body: Buffer) -> str | None:
        """Say that a chunk of a shard holds more than it may, or None; decoding it shows what else is wrong."""
        compressed = any(codec["id"] in COMPRESSORS for codec, _ in self.codecs)
        return self.wrong(body, decode=False) if compressed else None

    def _wrong_header(self, body: bytes, *, innermost: bool) -> str | None:
        if len(body) < BLOSC_HEADER.size:
            return f"it has {len(body)} bytes, less than a blosc header"
        *_, decoded, _, length = BLOSC_HEADER.unpack_from(body)
        if length != len(body):
            return f"it has {len(body)} bytes, its blosc header says {length}"
        return self._other_length(decoded) if innermost and not self.shard else None

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
    codec : ChunkCodec
        The codecs of the index.

    """

    index: int
    at_end: bool
    chunk: "ChunkFormat | ShardFormat"
    codec: ChunkCodec

    @property
    def most(self) -> int:
        """Most bytes of a shard."""
        return self.index + self.index // ENTRY_BYTES * self.chunk.most

    def wrong(self, body: bytes) -> str | None:
        """Say what is wrong with the body of a whole shard, or None; its chunks are checked when they are decoded."""
        if len(body) < self.index:
            return f"it has {len(body)} bytes, less than its index"
        index = body[-self.index :] if self.at_end else body[: self.index]
        try:
            entries = self.codec.decode(default_buffer_prototype().buffer.from_bytes(index))
        except DECODING as error:
            return f"its index cannot be decoded ({cite(error)})"
        parts = (body[start : start + length] for start, length in entries.reshape(-1, 2).tolist() if start != EMPTY)
        return next(filter(None, map(self.chunk.excessive, parts)), None)

    excessive = wrong
