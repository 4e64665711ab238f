"""Images on S3 under faults: each request is made once, and tried again by our own patience alone."""

import os
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.planes import Block
from idr_assets.imaging.reading.fingerprint import read_fingerprint
from idr_assets.imaging.reading.level import open_level
from idr_assets.imaging.reading.retries import Patience
from idr_assets.imaging.stores.http_source import USER_AGENT
from idr_assets_tests.support.idr_stores import write_image
from idr_assets_tests.support.store_faults import status
from idr_assets_tests.support.store_server import StoreServer

QUICK = Patience(tries=2, timeout=5, wait=0.01)
PLANE = Block(range(1), (0,), range(1))
PIXELS = np.arange(12, dtype="u2").reshape(1, 1, 1, 3, 4)
CHUNK = "/bucket/image.zarr/0/0/0/0/0/0"


@pytest.fixture(autouse=True)
def _no_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def server(server: StoreServer) -> StoreServer:
    """Serve a bucket that everybody may read."""
    write_image(server.root / "bucket/image.zarr", PIXELS, version="0.4")
    return server


@pytest.mark.parametrize(
    ("code", "tries", "message"),
    [
        (400, 1, "cannot be read: the server answers with status 400"),
        (403, 2, "access is refused (status 403)"),
        (405, 1, "cannot be read: the server answers with status 405"),
        (429, 2, "cannot be read (2 tries): the server answers with status 429"),
        (503, 2, "cannot be read (2 tries): the server answers with status 503"),
    ],
)
def test_a_status_is_heard_as_over_http(server: StoreServer, code: int, tries: int, message: str) -> None:
    level = open_level("s3://bucket/image.zarr", "0", {"anon": True, "endpoint_url": server.url}, patience=QUICK)
    np.testing.assert_array_equal(level.read(PLANE), PIXELS)
    assert len(read_fingerprint(level, {"anon": True, "endpoint_url": server.url}).digest) == 16
    server.reset()
    server.faults[CHUNK] = repeat(status(code, {"Retry-After": "0"}))
    with pytest.raises(ImageError) as error:
        level.read(PLANE)
    assert message in str(error.value)
    assert server.requests[:tries] == [("GET", CHUNK)] * tries
    assert server.requests.count(("GET", CHUNK)) == tries
    assert all(agent.endswith(USER_AGENT) for agent in server.agents)
    server.reset()
    server.faults[CHUNK] = repeat(status(429, {"Retry-After": "3600"}))
    with pytest.raises(ImageError, match="status 429"):
        level.read(PLANE)
    assert server.requests == [("GET", CHUNK)]  # the hour is longer than the patience


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"anon": True}, "the connection fails (EndpointConnectionError). Check the network and the address."),
        ({}, "there are no credentials for it. Give credentials in `storage_options`, or `{anon: true}`"),
    ],
)
def test_a_store_that_cannot_be_asked_is_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ImageError) as error:
        open_level(
            "s3://bucket/image.zarr", "0", options | {"endpoint_url": "http://127.0.0.1:9"}, patience=Patience(tries=1)
        )
    assert str(error.value).startswith("s3://bucket/image.zarr/")
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("s3://", "it names no bucket of S3. Write it as s3://BUCKET/PATH."),
        ("s3://no bucket/image.zarr", "it names no bucket of S3. Write it as s3://BUCKET/PATH."),
        ("http:///image.zarr", "it names no host. Write it as https://HOST/PATH."),
    ],
)
def test_an_address_that_names_no_store_says_how_to_write_it(address: str, message: str) -> None:
    with pytest.raises(ImageError) as error:
        open_level(address, "0", {"anon": True} if address.startswith("s3") else {})
    assert str(error.value).endswith(f"cannot be read: {message}")
