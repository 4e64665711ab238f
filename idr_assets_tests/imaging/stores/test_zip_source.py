"""An image in one file: read like the folder that it is made of, with a request for a chunk; refused if damaged."""

import pickle
import re
import shutil
from pathlib import Path
from typing import Any
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

import numpy as np
import pytest
import s3fs

from idr_assets.imaging.errors import ImageError, MissingChunkError
from idr_assets.imaging.planes import Block
from idr_assets.imaging.reading.fingerprint import read_fingerprint
from idr_assets.imaging.reading.level import open_level
from idr_assets.imaging.reading.probe import check_pixels
from idr_assets.imaging.reading.retries import Patience
from idr_assets_tests.support import store_faults as faults
from idr_assets_tests.support.idr_stores import Version, write_image
from idr_assets_tests.support.store_server import StoreServer

SHAPE = (4, 2, 5, 30, 30)
PIXELS = np.random.default_rng(0).integers(1, 2**16, SHAPE).astype("u2")
"""More than the end of an archive that is read first."""

WHOLE = Block(range(4), (0, 1), range(5))
QUICK = Patience(tries=2, wait=0.01)


def pack(image: Path, archive: Path, *, method: int = ZIP_STORED, below: str = "", zip64: bool = False) -> Path:
    """Write a folder into an archive."""
    with ZipFile(archive, "w", method) as file:
        for path in sorted(image.rglob("*")):
            if path.is_dir():
                file.mkdir(f"{below}{path.relative_to(image)}")
                continue
            about = ZipInfo(f"{below}{path.relative_to(image)}")
            about.compress_type = method
            with file.open(about, "w", force_zip64=zip64) as opened:
                opened.write(path.read_bytes())
    return archive


@pytest.fixture
def image(tmp_path: Path) -> Path:
    return write_image(tmp_path / "image.zarr", PIXELS, version="0.5")


@pytest.mark.parametrize("version", ["0.4", "0.5"])
@pytest.mark.parametrize("method", [ZIP_STORED, ZIP_DEFLATED])
@pytest.mark.parametrize("below", ["", "image.ome.zarr/"])
@pytest.mark.parametrize("zip64", [True, False])
def test_an_archive_reads_as_its_folder(  # noqa: PLR0913
    tmp_path: Path, server: StoreServer, version: Version, method: int, below: str, *, zip64: bool
) -> None:
    folder = write_image(tmp_path / "folder", PIXELS, version=version)
    pack(folder, tmp_path / "image.ozx", method=method, below=below, zip64=zip64)
    for url in (str(tmp_path / "image.ozx"), f"{server.url}/image.ozx"):
        level = open_level(url, "0")
        assert (level.shape, level.dtype) == (SHAPE, PIXELS.dtype)
        np.testing.assert_array_equal(pickle.loads(pickle.dumps(level)).read(WHOLE), PIXELS)  # noqa: S301
        check_pixels(level, WHOLE, sparse=False, byte_order_known=False)


def test_a_shard_of_an_archive_is_read_in_parts(tmp_path: Path, server: StoreServer) -> None:
    sizes: dict[str, Any] = {"chunks": (1, 1, 1, 30, 30), "shards": (4, 2, 5, 30, 30)}
    pack(write_image(tmp_path / "folder", PIXELS, version="0.5", **sizes), tmp_path / "image.zip")
    level = open_level(f"{server.url}/image.zip", "0")
    plane = Block(range(2, 3), (1,), range(3, 4))
    np.testing.assert_array_equal(level.read(plane), PIXELS[2:3, 1:2, 3:4])


def test_a_chunk_of_an_archive_is_one_request(image: Path, server: StoreServer) -> None:
    pack(image, server.root / "image.ozx")
    level = open_level(f"{server.url}/image.ozx", "0")
    server.reset()
    level.read(WHOLE)
    assert server.requests == [("GET", "/image.ozx")] * 40


def test_a_public_bucket_has_archives_too(image: Path, s3: str) -> None:
    pack(image, image.with_name("image.ozx"))
    writer = s3fs.S3FileSystem(key="key", secret="secret", endpoint_url=s3)  # noqa: S106
    writer.mkdir("archives", acl="public-read")
    writer.put(str(image.with_name("image.ozx")), "archives/image.ozx")
    level = open_level("s3://archives/image.ozx", "0", {"anon": True, "client_kwargs": {"endpoint_url": s3}})
    np.testing.assert_array_equal(level.read(WHOLE), PIXELS)
    assert read_fingerprint(level, {"anon": True, "client_kwargs": {"endpoint_url": s3}}).state


def test_the_fingerprint_is_that_of_the_archive(image: Path, server: StoreServer) -> None:
    archive = pack(image, server.root / "image.ozx")
    for url in (str(archive), f"{server.url}/image.ozx"):
        before = read_fingerprint(open_level(url, "0"))
        assert read_fingerprint(open_level(url, "0")) == before
        archive.touch()
        assert read_fingerprint(open_level(url, "0")).digest != before.digest


def test_a_chunk_that_an_archive_lacks_is_missing(image: Path) -> None:
    (image / "0/c/1/0/2/0/0").unlink()
    level = open_level(str(pack(image, image.with_name("image.ozx"))), "0")
    with pytest.raises(MissingChunkError, match="c/1/0/2/0/0 is missing, so t 1 c 0 z 2"):
        level.read(WHOLE)


def test_a_flipped_bit_is_seen_by_the_checksum_of_the_archive(image: Path) -> None:
    archive = pack(image, image.with_name("image.ozx"))
    level = open_level(str(archive), "0", patience=QUICK)
    with ZipFile(archive) as file:
        at = file.getinfo("0/c/0/0/0/0/0").header_offset + 300
    content = bytearray(archive.read_bytes())
    content[at] ^= 1
    archive.write_bytes(content)
    with pytest.raises(ImageError, match=r"0/c/0/0/0/0/0 is damaged: Bad CRC-32 for file .* Restore it from a copy"):
        level.read(Block(range(1), (0,), range(1)))


def test_no_archive_at_the_address(tmp_path: Path, server: StoreServer) -> None:
    for url in (str(tmp_path / "image.ozx"), f"{server.url}/image.ozx"):
        with pytest.raises(ImageError, match=re.escape(f"No Zarr group at {url}")):
            open_level(url, "0")


def test_a_folder_with_the_name_of_an_archive_is_a_folder(image: Path) -> None:
    folder = shutil.move(image, image.with_name("image.zip"))
    level = open_level(str(folder), "0")
    np.testing.assert_array_equal(level.read(WHOLE), PIXELS)
    assert read_fingerprint(level).digest


@pytest.mark.parametrize("kind", ["cut", "text", "empty", "another compression"])
def test_an_archive_that_cannot_be_read_is_refused(image: Path, kind: str) -> None:
    archive = pack(
        image, image.with_name("image.ozx"), method=ZIP_BZIP2 if kind == "another compression" else ZIP_STORED
    )
    content = archive.read_bytes()
    archive.write_bytes({"cut": content[:-30], "text": b"text", "empty": b""}.get(kind, content))
    with pytest.raises(ImageError, match=r"cannot be read as an image in one file: .* Download and unpack it"):
        open_level(str(archive), "0", patience=QUICK)


@pytest.mark.parametrize("side", [20, 400], ids=["small", "large"])
def test_a_server_that_knows_no_ranges_is_named(tmp_path: Path, server: StoreServer, side: int) -> None:
    pixels = np.random.default_rng(0).integers(0, 2**16, (1, 1, 1, side, side), "u2")
    pack(write_image(tmp_path / "image.zarr", pixels, version="0.5"), tmp_path / "image.ozx")
    server.faults["/image.ozx"] = [faults.replaced((server.root / "image.ozx").read_bytes())] * 9
    with pytest.raises(ImageError, match="its server sends the whole file where a part is asked for"):
        open_level(f"{server.url}/image.ozx", "0", patience=QUICK).read(Block(range(1), (0,), range(1)))
