"""Decode compressed bytes, and never more of them than expected: a small body may stand for gigabytes."""

import bz2
import lzma
import zlib
from collections.abc import Callable, Mapping
from typing import Any

import numcodecs
import numpy as np

MOST_OF_A_WINDOW = 256 * 2**20
"""Most memory that LZMA may take for its window; its highest preset takes 64 MiB."""

ZSTD_MAGIC = bytes.fromhex("28b52ffd")

INFLATERS: Mapping[str, Callable[[], Any]] = {
    "gzip": lambda: zlib.decompressobj(16 + zlib.MAX_WBITS),
    "zlib": zlib.decompressobj,
    "bz2": bz2.BZ2Decompressor,
    "lzma": lambda: lzma.LZMADecompressor(memlimit=MOST_OF_A_WINDOW),
}
"""Decoders of streams, which do not say how long they are."""

SIZES: Mapping[str, slice] = {"blosc": slice(4, 8), "lz4": slice(4)}
"""Where a body says how many bytes it holds."""

COMPRESSORS = {*INFLATERS, *SIZES, "zstd"}


class TooMuchError(ValueError):
    """A body holds more than it may."""

    def __init__(self, most: int) -> None:
        """Say how much it may hold."""
        super().__init__(f"it holds more than {most} bytes")


def inflate(codec: str, body: bytes, most: int) -> int:
    """Decode a body by a compressor of numcodecs, and return how many bytes it holds.

    Raises
    ------
    TooMuchError
        Where it holds more than `most` bytes; no more than that is decoded.
    RuntimeError, ValueError, OSError, EOFError, zlib.error, lzma.LZMAError
        Where it cannot be decoded.

    """
    if codec == "zstd":
        return _inflate_zstd(body, most)
    if codec in INFLATERS:
        return len(inflate_stream(codec, body, most))
    if int.from_bytes(body[SIZES[codec]], "little") > most:
        raise TooMuchError(most)
    return len(numcodecs.get_codec({"id": codec}).decode(body))


def inflate_stream(codec: str, body: bytes, most: int) -> bytes:
    """Decode a body of gzip, zlib, bz2 or lzma, as `inflate` does; all but zlib may be several streams."""
    decoded: bytes = b""
    while True:
        decoder = INFLATERS[codec]()
        decoded += decoder.decompress(body, most - len(decoded) + 1)
        if len(decoded) > most:
            raise TooMuchError(most)
        if not decoder.eof:
            message = "it ends too early"
            raise EOFError(message)
        body = decoder.unused_data.lstrip(b"\0")
        if not body or codec == "zlib":
            return decoded


def _inflate_zstd(body: bytes, most: int) -> int:
    """Decode a body of one frame or several, each of which need not say how many bytes it holds."""
    decoder = numcodecs.get_codec({"id": "zstd"})
    try:
        decoder.decode(body, np.empty(most, "u1"))
    except (RuntimeError, ValueError) as error:
        if "too small" in str(error):  # the buffer
            raise TooMuchError(most) from None
        if "expected to decompress" not in str(error):
            raise
    else:
        if _first_frame(body) == most:
            return most
    return len(decoder.decode(body))  # less than fits: numcodecs does not say how much it decoded into a buffer


def _first_frame(body: bytes) -> int | None:
    """Read how many bytes the first frame holds (RFC 8878, 3.1.1.1); None where it does not say it."""
    flags = body[len(ZSTD_MAGIC)]
    single = flags >> 5 & 1
    length = (single, 2, 4, 8)[flags >> 6]
    start = 6 - single + (0, 1, 2, 4)[flags & 3]
    size = int.from_bytes(body[start : start + length], "little")
    return size + 256 * (length == 2) if length else None  # noqa: PLR2004  which counts from 256
