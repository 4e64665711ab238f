"""Chunks encoded and decoded alone are those of Zarr: bytes and pixels of each codec, dtype, byte order and layout."""

from pathlib import Path
from typing import Any

import numcodecs
import numpy as np
import pytest
import zarr
from zarr.codecs import BloscCodec, BytesCodec, Crc32cCodec, GzipCodec, TransposeCodec, ZstdCodec
from zarr.core.buffer import default_buffer_prototype
from zarr.storage import MemoryStore

from idr_assets.imaging.stores.chunk_codec import ChunkCodec

SHAPE = (3, 20, 30)
PLANE = (1, 20, 30)

DTYPES = [
    "?",
    "i1",
    "u1",
    "<i2",
    ">i2",
    "<u2",
    ">u2",
    "<i4",
    ">u4",
    "<i8",
    ">u8",
    "<f2",
    ">f2",
    "<f4",
    ">f4",
    "<f8",
    ">f8",
]

LAYOUTS: dict[str, dict[str, Any]] = {
    "v2, no compressor": {"zarr_format": 2, "compressors": None},
    "v2, blosc lz4": {"zarr_format": 2, "compressors": numcodecs.Blosc("lz4", 5, 1)},
    "v2, blosc zstd, bits": {"zarr_format": 2, "compressors": numcodecs.Blosc("zstd", 3, 2)},
    "v2, zlib": {"zarr_format": 2, "compressors": numcodecs.Zlib(1)},
    "v2, gzip": {"zarr_format": 2, "compressors": numcodecs.GZip(1)},
    "v2, zstd": {"zarr_format": 2, "compressors": numcodecs.Zstd(3)},
    "v2, lz4": {"zarr_format": 2, "compressors": numcodecs.LZ4()},
    "v2, bz2": {"zarr_format": 2, "compressors": numcodecs.BZ2(1)},
    "v2, lzma": {"zarr_format": 2, "compressors": numcodecs.LZMA()},
    "v2, filter": {"zarr_format": 2, "compressors": numcodecs.Zlib(1), "filters": [numcodecs.Shuffle(2)]},
    "v2, columns first": {"zarr_format": 2, "compressors": numcodecs.Zlib(1), "order": "F"},
    "v2, chunk of more than a plane": {"zarr_format": 2, "compressors": numcodecs.Zlib(1), "chunks": (1, 32, 64)},
    "v3, no compressor": {"zarr_format": 3, "compressors": None},
    "v3, big endian": {"zarr_format": 3, "compressors": None, "serializer": BytesCodec(endian="big")},
    "v3, zstd with checksum, as the output": {"zarr_format": 3, "compressors": [ZstdCodec(level=3), Crc32cCodec()]},
    "v3, blosc": {"zarr_format": 3, "compressors": BloscCodec(cname="zstd", clevel=3, shuffle="shuffle")},
    "v3, gzip": {"zarr_format": 3, "compressors": GzipCodec(level=1)},
    "v3, transposed": {"zarr_format": 3, "compressors": ZstdCodec(), "filters": TransposeCodec(order=(0, 2, 1))},
    "v3, chunk of more than a plane": {"zarr_format": 3, "compressors": ZstdCodec(), "chunks": (1, 32, 64)},
}


def make_array(layout: dict[str, Any], dtype: str) -> tuple[zarr.Array[Any], dict[str, Any]]:
    chunks: dict[str, Any] = {"chunks": PLANE, "fill_value": 0, "config": {"write_empty_chunks": True}}
    store: dict[str, Any] = {}
    native = np.dtype(dtype).newbyteorder("=") if layout["zarr_format"] == 3 else np.dtype(dtype)
    return zarr.create_array(MemoryStore(store), shape=SHAPE, dtype=native, **chunks | layout), store


def without_time(body: bytes) -> bytes:
    """Leave out the time of day that gzip writes."""
    return body[:4] + body[8:] if body.startswith(b"\x1f\x8b") else body


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_a_chunk_alone_is_that_of_zarr(layout: dict[str, Any]) -> None:
    for dtype in DTYPES:
        check_chunks(layout, dtype)


def check_chunks(layout: dict[str, Any], dtype: str) -> None:
    array, store = make_array(layout, dtype)
    planes = np.random.default_rng(1).integers(0, 100, SHAPE).astype(array.dtype)
    planes[0] = 0
    array[:] = planes
    codec = ChunkCodec.of(array)
    assert codec
    for z, plane in enumerate(planes):
        stored = store[array.metadata.encode_chunk_key((z, 0, 0))]
        decoded = codec.decode(stored)
        assert decoded.dtype == array.dtype
        np.testing.assert_array_equal(decoded[0, :20, :30], plane)
        assert without_time(codec.encode(decoded)) == without_time(stored.to_bytes())


def test_a_damaged_body_is_refused_as_zarr_refuses_it() -> None:
    array, store = make_array(LAYOUTS["v3, zstd with checksum, as the output"], "<u2")
    array[:] = 7
    key, codec = array.metadata.encode_chunk_key((0, 0, 0)), ChunkCodec.of(array)
    assert codec
    body = bytearray(store[key].to_bytes())
    body[5] ^= 1
    store[key] = default_buffer_prototype().buffer.from_bytes(bytes(body))
    with pytest.raises(ValueError, match="checksum") as ours:
        codec.decode(store[key])
    with pytest.raises(ValueError, match="checksum") as theirs:
        array[0]
    assert str(ours.value) == str(theirs.value)


def test_shards_are_left_to_zarr(tmp_path: Path) -> None:
    array = zarr.create_array(tmp_path, shape=SHAPE, dtype="u2", chunks=PLANE, shards=SHAPE)
    assert ChunkCodec.of(array) is None
