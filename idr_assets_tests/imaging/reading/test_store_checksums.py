"""The checksums that stores send with bodies find what no length and no codec does."""

import gzip
import hashlib
from base64 import b64encode
from itertools import repeat

import numpy as np
import pytest
from aiohttp import web

from idr_assets.imaging.errors import CorruptBodyError, ImageError
from idr_assets.imaging.planes import Block
from idr_assets.imaging.reading.level import open_level
from idr_assets.imaging.reading.retries import Patience
from idr_assets.imaging.reading.store_checksums import ALGORITHMS, StoreChecksums, find_checksum
from idr_assets.imaging.stores.answers import Answer
from idr_assets_tests.support.idr_stores import write_image
from idr_assets_tests.support.store_faults import Fault
from idr_assets_tests.support.store_server import StoreServer

BODY = b"pixels"
MD5 = hashlib.md5(BODY, usedforsecurity=False).hexdigest()
OTHER = "0" * 32
PIXELS = np.random.default_rng(0).integers(0, 2**16, (1, 1, 2, 20, 20), "u2")
HASTY = Patience(tries=2, timeout=5, wait=0.01)


def in_base64(name: str) -> str:
    return b64encode(ALGORITHMS[name](BODY)).decode()


@pytest.mark.parametrize(
    ("headers", "name"),
    [
        ({"content-md5": in_base64("md5")}, "md5"),
        ({"x-goog-hash": f"crc32c={in_base64('crc32c')},md5={in_base64('md5')}"}, "crc32c"),
        ({"x-goog-hash": f"md5={in_base64('md5')}", "x-goog-stored-content-encoding": "identity"}, "md5"),
        ({"x-goog-hash": f"md5={in_base64('md5')}", "x-goog-stored-content-encoding": "gzip"}, ""),
        *(({f"x-amz-checksum-{name}": in_base64(name)}, name) for name in ("crc32", "crc32c", "sha1", "sha256")),
        ({"x-amz-checksum-crc32": f"{in_base64('crc32')}-3"}, ""),
        ({"repr-digest": f"sha-256=:{in_base64('sha256')}:"}, "sha256"),
        ({"repr-digest": "unixsum=:AAA=:"}, ""),
        ({"etag": f'"{MD5}"'}, ""),
        ({}, ""),
    ],
)
def test_a_checksum_is_found_by_its_header(headers: dict[str, str], name: str) -> None:
    assert find_checksum(headers) == (name, ALGORITHMS[name](BODY) if name else b"")
    checksums = StoreChecksums()
    checksums.verify(Answer(headers=headers, sent=BODY))
    assert checksums.found == (name or None)
    if name:
        with pytest.raises(CorruptBodyError, match=f"does not agree with the {name.upper()} that the store sends"):
            checksums.verify(Answer(headers=headers, sent=b"pixelz"))


@pytest.mark.parametrize(
    ("etags", "is_found"),
    [
        ([MD5, MD5, OTHER], True),
        ([MD5, OTHER, OTHER, MD5, MD5], False),
        ([OTHER, MD5, MD5, OTHER], False),
        ([MD5, MD5, f"{OTHER}-2", f'W/"{OTHER}"', ""], False),
    ],
)
def test_an_etag_counts_as_md5_once_the_first_ones_are(etags: list[str], is_found: bool) -> None:  # noqa: FBT001
    checksums, found = StoreChecksums(), False
    for etag in etags:
        try:
            checksums.verify(Answer(headers={"etag": etag}, sent=BODY))
        except CorruptBodyError:
            found = True
    assert found == is_found


def with_etag(*, flip: bool = False) -> Fault:
    """Answer as S3 does, and flip a bit of the body on the way."""

    async def fault(_request: web.Request, body: bytes) -> web.StreamResponse:
        if not body:
            return web.Response(status=404)
        etag = f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'
        sent = body[:-1] + bytes([body[-1] ^ 1]) if flip else body
        return web.Response(body=sent, headers={"ETag": etag})

    return fault


def test_a_flipped_bit_is_found_by_an_etag(server: StoreServer) -> None:
    write_image(server.root / "image.zarr", PIXELS, version="0.4")
    server.faults = {"/image.zarr/0/0/0/1/0/0": [with_etag(flip=True), with_etag()], "*": repeat(with_etag())}
    level = open_level(f"{server.url}/image.zarr", "0", patience=HASTY)
    np.testing.assert_array_equal(level.read(Block(range(1), (0,), range(2))), PIXELS)
    assert level.store.verification.means == "MD5 of the store"
    server.faults["/image.zarr/0/0/0/1/0/0"] = repeat(with_etag(flip=True))
    with pytest.raises(ImageError, match="it does not agree with the MD5 that the store sends with it"):
        level.read(Block(range(1), (0,), range(2)))


def test_a_body_that_is_encoded_for_the_way_is_verified_as_it_was_sent() -> None:
    sent = gzip.compress(BODY)
    etag = hashlib.md5(sent, usedforsecurity=False).hexdigest()
    checksums = StoreChecksums()
    for _ in range(3):
        checksums.verify(Answer(headers={"etag": etag, "content-encoding": "gzip"}, sent=sent))
    assert checksums.found == "md5"
