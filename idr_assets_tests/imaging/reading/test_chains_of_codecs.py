"""Chunks that several codecs encode are read as by Zarr, and no codec makes more than the next one needs."""

import json
import pickle
import shutil
import tracemalloc
from pathlib import Path
from typing import Any

import numcodecs
import numpy as np
import pytest
import zarr

from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.planes import Plane
from idr_assets.imaging.reading.chunk_bodies import ChunkFormat
from idr_assets.imaging.reading.level import open_level
from idr_assets_tests.support.idr_stores import write_image

PIXELS = np.random.default_rng(0).integers(0, 2**12, (1, 1, 2, 20, 18), "u2")
CHUNK, SHARD = (1, 1, 1, 20, 18), PIXELS.shape
ZARR_V2 = 2

V2: dict[str, list[dict[str, Any]]] = {
    "two compressors": [{"id": "zlib"}, {"id": "gzip"}],
    "a filter between": [{"id": "bz2"}, {"id": "delta", "dtype": "u1", "astype": "i4"}, {"id": "blosc"}],
    "as in HDF5": [{"id": "shuffle", "elementsize": 2}, {"id": "zlib"}, {"id": "fletcher32"}],
    "no compressor": [{"id": "delta", "dtype": "<u2"}, {"id": "crc32"}],
    "raw LZMA": [{"id": "lzma", "format": 3, "filters": [{"id": 33, "preset": 1}]}, {"id": "lz4"}],
}

BYTES: list[dict[str, Any]] = [{"name": "bytes", "configuration": {"endian": "little"}}]
BIG: list[dict[str, Any]] = [{"name": "bytes", "configuration": {"endian": "big"}}]
GZIP: list[dict[str, Any]] = [{"name": "gzip", "configuration": {"level": 1}}]
ZSTD: list[dict[str, Any]] = [{"name": "zstd", "configuration": {"level": 0, "checksum": False}}]
CRC32C: list[dict[str, Any]] = [{"name": "crc32c"}]
CRC32: list[dict[str, Any]] = [{"name": "numcodecs.crc32", "configuration": {}}]
DELTA: list[dict[str, Any]] = [{"name": "numcodecs.delta", "configuration": {"dtype": "<u2"}}]


def shard(inner: list[dict[str, Any]], index: list[dict[str, Any]], **more: object) -> list[dict[str, Any]]:
    about = {"chunk_shape": [1, 1, 1, 10, 9], "codecs": inner, "index_codecs": index, **more}
    return [{"name": "sharding_indexed", "configuration": about}]


V3 = {
    "two compressors": DELTA + BYTES + ZSTD + GZIP,
    "another checksum": BYTES + GZIP + CRC32,
    "a checksum between": BYTES + ZSTD + CRC32C + GZIP,
    "a chain in a shard": shard(BYTES + ZSTD + CRC32C + GZIP, BIG, index_location="start"),
    "another checksum of an index": shard(BYTES + GZIP, BYTES + CRC32),
    "a shard in a compressor": shard(BYTES + GZIP, BYTES + CRC32C) + CRC32C + GZIP,
}


def write(folder: Path, codecs: list[dict[str, Any]], version: int) -> Path:
    image = write_image(folder / "image.zarr", PIXELS, version="0.4" if version == ZARR_V2 else "0.5")
    document = image / "0" / (".zarray" if version == ZARR_V2 else "zarr.json")
    about = json.loads(document.read_text())
    if version == ZARR_V2:
        about["filters"], about["compressor"] = codecs, None
    else:
        about["codecs"] = codecs
        about["chunk_grid"]["configuration"]["chunk_shape"] = SHARD if "sharding" in str(codecs) else CHUNK
    shutil.rmtree(image / "0")
    document.parent.mkdir()
    document.write_text(json.dumps(about))
    return image


CHAINS = [(chain, 2) for chain in V2.values()] + [(chain, 3) for chain in V3.values()]


@pytest.mark.filterwarnings("ignore:Combining a `sharding_indexed`")  # which a compressor follows
@pytest.mark.parametrize(("codecs", "version"), CHAINS, ids=[*V2, *V3])
def test_a_chain_of_codecs_is_read_as_zarr_reads_it(tmp_path: Path, codecs: list[dict[str, Any]], version: int) -> None:
    image = write(tmp_path, codecs, version)
    zarr.open_array(image / "0", mode="r+")[:] = PIXELS
    level = pickle.loads(pickle.dumps(open_level(str(image), "0")))  # noqa: S301  as on its way to a worker
    np.testing.assert_array_equal(level.read(Plane(0, 0, 1).block)[0, 0, 0], PIXELS[0, 0, 1])
    for chunk in (file for file in (image / "0").rglob("*") if file.name.isdigit() and file.is_file()):
        assert level.store.verification.chunks.wrong(chunk.read_bytes()) is None


def test_filters_that_make_anything_are_refused(tmp_path: Path) -> None:
    grow = {"id": "astype", "encode_dtype": "f8", "decode_dtype": "u1"}
    image = write(tmp_path, [grow, grow], ZARR_V2)
    with pytest.raises(ImageError, match=r"The codecs of .*/image.zarr/0 are \['astype', 'astype'\]: how many"):
        open_level(str(image), "0")


def test_a_codec_that_is_not_installed_is_named(tmp_path: Path) -> None:
    image = write(tmp_path, [{"name": "cast_value", "configuration": {"data_type": "uint8"}}, *BYTES], 3)
    with pytest.raises(ImageError, match=r"A codec of .*/image.zarr is not installed.* 'cast-value-rs' package"):
        open_level(str(image), "0")


def bomb(codec: dict[str, Any], size: int) -> bytes:
    return bytes(numcodecs.get_codec(codec).encode(bytes(size)))


@pytest.mark.parametrize("at", [0, 1, 2])
@pytest.mark.parametrize("middle", ["zstd", "blosc", "lz4", "bz2"])
def test_no_codec_of_a_chain_makes_more_than_the_next_may_have(at: int, middle: str) -> None:
    chain = [{"id": "zlib"}, {"id": middle}, {"id": "gzip"}]
    body = bomb(chain[at], 30_000_000)
    for codec in chain[at + 1 :]:
        body = bytes(numcodecs.get_codec(codec).encode(body))
    found = ChunkFormat(tuple((codec, 1) for codec in chain), 720)
    tracemalloc.start()
    try:
        assert found.wrong(body)
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()
