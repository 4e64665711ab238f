"""Compressed bytes are decoded up to what is expected, and no further."""

import tracemalloc
import zlib

import numcodecs
import pytest

from idr_assets.imaging.stores.inflating import COMPRESSORS, TooMuchError, inflate

DATA = bytes(range(256)) * 80
UNSTATED = bytes.fromhex("28b52ffd0058") + (1 | 5 << 3).to_bytes(3, "little") + b"abcde"
"""A frame of zstd that does not say that it holds five bytes."""


def held(codec: str, body: bytes, most: int) -> int:
    return memoryview(inflate({"id": codec}, body, most)).nbytes


def encode(codec: str, data: bytes) -> bytes:
    return bytes(numcodecs.get_codec({"id": codec}).encode(data))


@pytest.mark.parametrize("codec", sorted(COMPRESSORS))
def test_a_body_is_decoded_if_it_holds_no_more_than_expected(codec: str) -> None:
    body = encode(codec, DATA)
    assert held(codec, body, len(DATA)) == len(DATA)
    assert held(codec, body, len(DATA) + 1) == len(DATA)
    with pytest.raises(TooMuchError, match=f"it holds more than {len(DATA) - 1} bytes"):
        held(codec, body, len(DATA) - 1)


@pytest.mark.parametrize("codec", sorted(COMPRESSORS))
def test_no_more_is_decoded_than_expected(codec: str) -> None:
    bomb = encode(codec, bytes(50_000_000))
    tracemalloc.start()
    try:
        with pytest.raises(TooMuchError):
            held(codec, bomb, 1000)
        assert tracemalloc.get_traced_memory()[1] < 20_000_000  # LZMA has a window of 8 MB
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("codec", ["gzip", "bz2", "lzma", "zstd"])
def test_a_body_of_several_streams_counts_as_a_whole(codec: str) -> None:
    body = encode(codec, DATA) + encode(codec, DATA)
    assert held(codec, body, 2 * len(DATA)) == 2 * len(DATA)
    with pytest.raises(TooMuchError):
        held(codec, body, 2 * len(DATA) - 1)


def test_frames_of_zstd_need_not_say_what_they_hold() -> None:
    assert [held("zstd", UNSTATED * 2, most) for most in (10, 11, 1000)] == [10] * 3
    with pytest.raises(TooMuchError):
        held("zstd", UNSTATED * 2, 9)


@pytest.mark.parametrize("codec", ["gzip", "zlib"])
def test_a_body_that_ends_too_early_is_refused(codec: str) -> None:
    with pytest.raises((EOFError, zlib.error)):
        held(codec, encode(codec, DATA)[:-5], len(DATA))
