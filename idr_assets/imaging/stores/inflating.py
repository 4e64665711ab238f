"""Decode compressed bytes, and never more of them than expected: a small body may stand for gigabytes."""

import bz2
import lzma
import zlib
from collections.abc import Buffer, Callable, Mapping
from typing import Any

import numcodecs
import numpy as np

MOST_OF_A_WINDOW = 256 * 2**20
"""Most memory that LZMA may take for its window; its highest preset takes 64 MiB."""

ZSTD_MAGIC = bytes.fromhex("28b52ffd")


def _open_lzma(codec: Mapping[str, Any]) -> lzma.LZMADecompressor:
    if codec.get("format") != lzma.FORMAT_RAW:
        return lzma.LZMADecompressor(memlimit=MOST_OF_A_WINDOW)
    if any(each.get("dict_size", 0) > MOST_OF_A_WINDOW for each in codec["filters"]):
        message = f"its window is larger than {MOST_OF_A_WINDOW} bytes"
        raise lzma.LZMAError(message)
    return lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=codec["filters"])


INFLATERS: Mapping[str, Callable[[Mapping[str, Any]], Any]] = {
    "gzip": lambda _: zlib.decompressobj(16 + zlib.MAX_WBITS),
    "zlib": lambda _: zlib.decompressobj(),
    "bz2": lambda _: bz2.BZ2Decompressor(),
    "lzma": _open_lzma,
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


def inflate(codec: Mapping[str, Any], body: Buffer, most: int) -> Buffer:
    """Undo what a codec of numcodecs did to bytes.

    Parameters
    ----------
    codec : mapping
        The codec, as numcodecs describes it.
    body : buffer
        What the codec made.
    most : int
        Most bytes that it may have made that of.

    Raises
    ------
    TooMuchError
        Where they are more than `most` bytes; no more than that are decoded.
    RuntimeError, ValueError, OSError, EOFError, zlib.error, lzma.LZMAError
        Where it cannot be decoded.

    """
    name, body = codec["id"], bytes(body)
    if name == "zstd":
        return _inflate_zstd(body, most)
    if name in INFLATERS:
        return inflate_stream(codec, body, most)
    if name in SIZES and int.from_bytes(body[SIZES[name]], "little") > most:
        raise TooMuchError(most)
    decoded: Buffer = numcodecs.get_codec(dict(codec)).decode(body)
    return decoded


def inflate_stream(codec: Mapping[str, Any], body: bytes, most: int) -> bytes:
    """Decode a body of gzip, zlib, bz2 or lzma, as `inflate` does; all but zlib may be several streams."""
    decoded: bytes = b""
    while True:
        decoder = INFLATERS[codec["id"]](codec)
        decoded += decoder.decompress(body, most - len(decoded) + 1)
        if len(decoded) > most:
            raise TooMuchError(most)
        if not decoder.eof:
            message = "it ends too early"
            raise EOFError(message)
        body = decoder.unused_data.lstrip(b"\0")
        if not body or codec["id"] == "zlib":
            return decoded


def _inflate_zstd(body: bytes, most: int) -> Buffer:
    """Decode a body of one frame or several, each of which need not say how many bytes it holds."""
    decoder, decoded = numcodecs.get_codec({"id": "zstd"}), np.empty(most, "u1")
    try:
        decoder.decode(body, decoded)
    except (RuntimeError, ValueError) as error:
        if "too small" in str(error):  # the buffer
            raise TooMuchError(most) from None
        if "expected to decompress" not in str(error):
            raise
    else:
        if _first_frame(body) == most:
            return decoded
    whole: Buffer = decoder.decode(body)  # less than fits: numcodecs does not say how much it decoded into a buffer
    return whole


def _first_frame(body: bytes) -> int | None:
    """Read how many bytes the first frame holds (RFC 8878, 3.1.1.1); None where it does not say it."""
    flags = body[len(ZSTD_MAGIC)]
    single = flags >> 5 & 1
    length = (single, 2, 4, 8)[flags >> 6]
    start = 6 - single + (0, 1, 2, 4)[flags & 3]
    size = int.from_bytes(body[start : start + length], "little")
    return size + 256 * (length == 2) if length else None  # noqa: PLR2004  which counts from 256
