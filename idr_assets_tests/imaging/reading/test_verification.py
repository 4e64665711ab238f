"""Bodies that are not what was asked for, by their part, their version or their size, from a real server."""

import gzip
from itertools import repeat
from pathlib import Path

import numpy as np
import pytest
import zarr
from aiohttp import web
from numcodecs import Delta, GZip

from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.planes import Plane
from idr_assets.imaging.reading.chunk_formats import find_format
from idr_assets.imaging.reading.level import Level, open_level
from idr_assets.imaging.reading.retries import Patience
from idr_assets.imaging.stores.ranges import part_length, wrong_part
from idr_assets_tests.support.idr_stores import write_image
from idr_assets_tests.support.store_faults import CONTENT_RANGE, encoded, other_part, replaced
from idr_assets_tests.support.store_server import StoreServer

PIXELS = np.random.default_rng(0).integers(0, 2**16, (1, 1, 4, 40, 36), "u2")
HASTY = Patience(tries=2, timeout=5, wait=0.01)
SHARD = "/image.zarr/0/c/0/0/0/0/0"
PLANE = Plane(0, 0, 2)

NO_COMPRESSOR = {"compressors": None}
GZIP = {"compressors": zarr.codecs.GzipCodec()}


def open_sharded(server: StoreServer, **layout: object) -> Level:
    write_image(server.root / "image.zarr", PIXELS, version="0.5", shards=PIXELS.shape)
    array = zarr.create_array(
        server.root / "image.zarr/0",
        shape=PIXELS.shape,
        dtype=PIXELS.dtype,
        chunks=(1, 1, 1, 40, 36),
        shards=PIXELS.shape,
        overwrite=True,
        **layout,  # type: ignore[arg-type]
    )
    array[:] = PIXELS
    return open_level(f"{server.url}/image.zarr", "0", patience=HASTY)


def read(level: Level) -> None:
    np.testing.assert_array_equal(level.read(PLANE.block)[0, 0, 0], PIXELS[0, 0, 2])


@pytest.mark.parametrize(
    ("part", "said", "is_wrong"),
    [
        ("bytes=2-5", "bytes 2-5/10", False),
        ("bytes=2-5", "bytes 2-5/*", False),
        ("bytes=-4", "bytes 6-9/10", False),
        ("bytes=-40", "bytes 0-9/10", False),
        ("bytes=6-", "bytes 6-9/10", False),
        ("bytes=6-12", "bytes 6-9/10", False),
        ("bytes=2-5", "bytes 0-3/10", True),
        ("bytes=2-5", "bytes 2-4/10", True),
        ("bytes=2-5", "bytes 0-3/*", True),
        ("bytes=-4", "bytes 5-8/10", True),
        ("bytes=6-", "bytes 6-8/10", True),
        ("bytes=2-5", "2-5/10", True),
        ("bytes=2-5", "", True),
    ],
)
def test_an_answer_says_which_part_it_is(part: str, said: str, is_wrong: bool) -> None:  # noqa: FBT001
    assert bool(wrong_part(part, {"content-range": said})) == is_wrong
    lengths = {"bytes=2-5": 4, "bytes=6-12": 7, "bytes=6-": 100, "bytes=-4": 4, "bytes=-40": 40}
    assert part_length(part, 100) == lengths[part]


def test_another_part_is_not_taken_for_what_was_asked_for(server: StoreServer) -> None:
    level = open_sharded(server, **NO_COMPRESSOR)
    server.faults[SHARD] = [None, other_part]  # the index is right
    read(level)
    server.faults[SHARD] = repeat(other_part)
    with pytest.raises(ImageError, match="was requested, the answer holds 'bytes 0-67/"):
        read(level)


def test_index_and_chunks_of_a_shard_are_of_one_version(server: StoreServer) -> None:
    level = open_sharded(server)

    async def newer(request: web.Request, body: bytes) -> web.StreamResponse:
        about = {"Content-Range": request[CONTENT_RANGE], "ETag": '"newer"'}
        return web.Response(status=206, body=body, headers=about)

    server.faults[SHARD] = [None, newer]
    read(level)  # asked again, it is the old version: another node of the store answered
    server.faults[SHARD] = [None, newer, newer]
    with pytest.raises(ImageError, match=r"it was replaced while it was read: its ETag was '.*', is '.newer"):
        read(level)


def test_a_chunk_of_a_shard_is_not_decoded_beyond_its_size(server: StoreServer) -> None:
    level = open_sharded(server, **GZIP)
    chunk = gzip.compress(bytes(10**7))

    async def bomb(request: web.Request, body: bytes) -> web.StreamResponse:
        about = {"Content-Range": request[CONTENT_RANGE]}
        return web.Response(status=206, body=(chunk + bytes(len(body)))[: len(body)], headers=about)

    server.faults[SHARD] = [item for _ in range(3) for item in (None, bomb)]
    with pytest.raises(ImageError, match=r"cannot be decoded .*it holds more than 2880 bytes of pixels"):
        read(level)


def test_documents_are_bounded(server: StoreServer) -> None:
    write_image(server.root / "image.zarr", PIXELS, version="0.4")
    for spoilt, said in (
        (encoded(70 * 2**20), "it holds more than 67108864 bytes"),
        (replaced(b"[" + b"1," * 10**6 + b"1]"), "it has 1000001 values, at most 1000000 are read"),
    ):
        server.faults["/image.zarr/0/.zarray"] = repeat(spoilt)
        with pytest.raises(ImageError, match=said):
            open_level(f"{server.url}/image.zarr", "0", patience=HASTY)


@pytest.mark.parametrize("kind", ["exact", "filtered"])
def test_a_body_is_as_long_as_its_chunk_and_a_bit_more(tmp_path: Path, kind: str) -> None:
    filters = [Delta(dtype="<u2")] if kind == "filtered" else None
    array = zarr.create_array(
        tmp_path, shape=(8, 8), chunks=(8, 8), dtype="u2", zarr_format=2, filters=filters, compressors=GZip()
    )
    found = find_format("image", array)
    assert found.most == (129 if filters else 128) + 2 + 1024
