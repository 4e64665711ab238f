"""Servers that know no ranges: a part comes from the whole body, which is asked for once and kept for a while."""

import asyncio
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from idr_assets.imaging.planes import Block, Plane
from idr_assets.imaging.reading.level import Level, open_level
from idr_assets.imaging.reading.retries import Patience
from idr_assets.imaging.reading.whole_bodies import WholeBodies
from idr_assets_tests.support.idr_stores import nuclei_plane, write_image
from idr_assets_tests.support.store_faults import changed, replaced, truncated
from idr_assets_tests.support.store_server import StoreServer

PIXELS = np.array([[[nuclei_plane(t, 0, z, (40, 36)) for z in range(4)]] for t in range(2)])
HASTY = Patience(tries=2, timeout=5, wait=0.01)
SHARD = "/image.zarr/0/c/1/0/0/0/0"


@pytest.fixture(params=["http", "s3"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[StoreServer, Level]]:
    """Serve an image of two shards, of four planes each, by a server that sends whole files only."""
    write_image(tmp_path / "image.zarr", PIXELS, version="0.5", shards=(1, 1, 4, 40, 36))
    (tmp_path / "bucket").symlink_to(".")
    with StoreServer(tmp_path, ranges=False) as server:
        http = request.param == "http"
        options = {} if http else {"anon": True, "endpoint_url": server.url}
        url = f"{server.url}/image.zarr" if http else "s3://bucket/image.zarr"
        yield server, open_level(url, "0", options, patience=HASTY)


def shards(server: StoreServer) -> list[str]:
    return [path for _, path in server.requests if "/c/" in path]


def test_each_shard_is_asked_for_once(opened: tuple[StoreServer, Level]) -> None:
    server, level = opened
    for t, z in np.ndindex(2, 4):
        worker = pickle.loads(pickle.dumps(level))  # noqa: S301  as for each block of a run
        np.testing.assert_array_equal(worker.read(Plane(t, 0, z).block)[0, 0, 0], PIXELS[t, 0, z])
    np.testing.assert_array_equal(level.read(Block(range(2), (0,), range(1, 3))), PIXELS[:, :, 1:3])
    assert len(shards(server)) == 2


def test_a_level_that_is_opened_again_is_read_again(opened: tuple[StoreServer, Level]) -> None:
    server, level = opened
    level.read(Plane(0, 0, 0).block)
    again = open_level(level.address, "0", {"anon": True, "endpoint_url": server.url} if "s3" in level.url else {})
    again.read(Plane(0, 0, 0).block)
    assert len(shards(server)) == 2


@pytest.mark.parametrize("first", [truncated, replaced(b"<!doctype html>", "text/html")])
def test_a_whole_body_is_verified(tmp_path: Path, first: Any) -> None:  # noqa: ANN401
    write_image(tmp_path / "image.zarr", PIXELS, version="0.5", shards=(1, 1, 4, 40, 36))
    with StoreServer(tmp_path, ranges=False) as server:
        level = open_level(f"{server.url}/image.zarr", "0", patience=HASTY)
        level.read(Plane(0, 0, 0).block)  # which tells that it sends wholes
        server.faults[SHARD] = [first]
        np.testing.assert_array_equal(level.read(Plane(1, 0, 2).block)[0, 0, 0], PIXELS[1, 0, 2])
        assert shards(server).count(SHARD) == 2


def test_what_cannot_be_decoded_is_asked_for_again(tmp_path: Path) -> None:
    write_image(tmp_path / "image.zarr", PIXELS, version="0.5", shards=(1, 1, 4, 40, 36))
    damaged = changed(lambda body: bytes(400) + body[400:])  # the index is whole
    with StoreServer(tmp_path, ranges=False) as server:
        level = open_level(f"{server.url}/image.zarr", "0", patience=HASTY)
        level.read(Plane(0, 0, 0).block)
        server.faults[SHARD] = [damaged]
        np.testing.assert_array_equal(level.read(Plane(1, 0, 0).block)[0, 0, 0], PIXELS[1, 0, 0])


def test_the_bodies_that_are_kept_are_bounded() -> None:
    asked = []

    async def read(*keys: str) -> None:
        for key in keys:
            assert await bodies.get("a", key, lambda key=key: fetch(key)) == key.encode() * 40  # type: ignore[misc]

    async def fetch(key: str) -> bytes:
        asked.append(key)
        await asyncio.sleep(0)
        return key.encode() * 40

    async def read_together() -> None:
        await asyncio.gather(*(read("4") for _ in range(5)))

    bodies = WholeBodies(most_bytes=100)
    asyncio.run(read("1", "2", "1", "3", "1", "2"))
    assert asked == ["1", "2", "3", "2"]  # 2 was not asked for the longest time
    bodies = WholeBodies(most_bytes=10)
    asyncio.run(read("1", "1", "2", "1"))
    assert asked[4:] == ["1", "2", "1"]  # the last is kept, whatever its size
    bodies.forget("b")
    asyncio.run(read("1"))
    bodies.forget("a")
    asyncio.run(read("1"))
    assert asked[7:] == ["1"]
    asyncio.run(read_together())
    assert asked[8:] == ["4"]
