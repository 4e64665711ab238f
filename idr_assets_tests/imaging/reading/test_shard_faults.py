"""Shards behind a server that fails or lies: their parts are read like whole chunks."""

from itertools import repeat
from typing import Any

import numpy as np
import pytest
import zarr
from zarr.abc.codec import BytesBytesCodec
from zarr.codecs import BloscCodec, GzipCodec

from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.planes import Block, Plane
from idr_assets.imaging.reading.level import open_level
from idr_assets.imaging.reading.retries import Patience
from idr_assets_tests.support.idr_stores import nuclei_plane, write_image
from idr_assets_tests.support.store_faults import (
    Fault,
    changed,
    connection_reset,
    cut,
    hang,
    random_bytes,
    replaced,
    status,
)
from idr_assets_tests.support.store_server import StoreServer

SHARD = "*/0/c/0/0/0/0/0"
HASTY = Patience(tries=3, timeout=0.5, seconds=20, wait=0.01)
PIXELS = np.array([[[nuclei_plane(0, 0, z, (40, 36)) for z in range(4)]]])


@pytest.fixture
def server(server: StoreServer) -> StoreServer:
    """Serve an image of four planes in one shard."""
    write_image(server.root / "image.zarr", PIXELS, version="0.5", shards=(1, 1, 4, 40, 36))
    return server


def read(server: StoreServer, z: int) -> Any:  # noqa: ANN401  pixels
    level = open_level(f"{server.url}/image.zarr", "0", patience=HASTY)
    return level.read(Plane(0, 0, z).block)[0, 0, 0]


FAULTS: dict[str, Fault] = {
    "503": status(503),
    "reset": connection_reset,
    "cut": cut,
    "hang": hang,
    "shorter": changed(lambda body: body[:-1]),
    "longer": changed(lambda body: body + b"1"),
    "a page": replaced(b"<!doctype html><html></html>", "text/html"),
}


WHOLE = Block(range(1), (0,), range(4))
"""All planes of the shard, which are read at once."""


@pytest.mark.parametrize("fault", [*FAULTS, "random"])
def test_a_fault_that_passes_leaves_the_pixels_as_they_are(server: StoreServer, fault: str) -> None:
    wrong = (FAULTS | {"random": random_bytes})[fault]
    server.faults[SHARD] = [wrong, None, wrong]
    np.testing.assert_array_equal(read(server, 2), PIXELS[0, 0, 2])
    server.faults[SHARD] = [wrong, None, wrong]  # the same twice is an answer
    level = open_level(f"{server.url}/image.zarr", "0", patience=HASTY)
    np.testing.assert_array_equal(level.read(WHOLE), PIXELS)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_that_stays_names_the_shard(server: StoreServer, fault: str) -> None:
    server.faults[SHARD] = repeat(FAULTS[fault])
    same = fault in {"a page", "shorter", "longer"}  # the same answer twice
    tries = rf"/image\.zarr/0/c/0/0/0/0/0 cannot be read \({2 if same else 3} tries\)"
    with pytest.raises(ImageError, match=tries):
        read(server, 2)
    level = open_level(f"{server.url}/image.zarr", "0", patience=HASTY)
    with pytest.raises(ImageError, match=tries):
        level.read(WHOLE)


@pytest.mark.parametrize("compressor", [GzipCodec(), BloscCodec(), None], ids=["gzip", "blosc", "none"])
def test_what_only_a_decoder_sees_is_tried_again_and_names_the_shard(
    server: StoreServer, compressor: BytesBytesCodec | None
) -> None:
    folder = server.root / "image.zarr/0"
    layout: dict[str, Any] = {"chunks": (1, 1, 1, 40, 36), "shards": (1, 1, 4, 40, 36), "compressors": compressor}
    array = zarr.create_array(folder, shape=PIXELS.shape, dtype=PIXELS.dtype, overwrite=True, **layout)
    array[:] = PIXELS
    server.faults[SHARD] = [None, random_bytes]  # the index is whole, the chunk is not
    if compressor:
        np.testing.assert_array_equal(read(server, 2), PIXELS[0, 0, 2])
    server.faults[SHARD] = repeat(random_bytes)
    with pytest.raises(ImageError, match=r"t 0 c 0 z 2, .*/image\.zarr/0/c/0/0/0/0/0 or .* cannot be decoded"):
        read(server, 2)
