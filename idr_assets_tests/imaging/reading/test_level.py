"""Reading images: every version and layout from every place equals what was written, and no pixel is made up."""

import pickle
import re
import subprocess
import sys
from collections.abc import Mapping
from inspect import signature
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pytest
import s3fs
from fsspec.registry import get_filesystem_class, known_implementations

from idr_assets.imaging.errors import INDIRECT, ImageError, MissingChunkError
from idr_assets.imaging.planes import Block
from idr_assets.imaging.reading.fingerprint import read_fingerprint
from idr_assets.imaging.reading.level import open_level
from idr_assets.imaging.reading.retries import Patience
from idr_assets_tests.support.idr_stores import write_idr_store, write_image
from idr_assets_tests.support.store_server import StoreServer

type Shape = tuple[int, ...]

LAYOUTS: dict[str, tuple[Shape, str, Shape, dict[str, Any]]] = {
    "0.1": ((4, 2, 5, 20, 30), ">u2", (1, 1, 1, 20, 30), {"version": "0.1"}),
    "0.2, many planes a chunk": ((4, 2, 5, 8, 9), "i2", (3, 2, 2, 8, 9), {"version": "0.2", "chunks": (3, 2, 2, 8, 9)}),
    "0.3 zyx": ((5, 20, 30), "u1", (1, 1, 2, 20, 30), {"version": "0.3", "axes": "zyx", "chunks": (2, 20, 30)}),
    "0.4 tcyx, planes cut": (
        (4, 2, 20, 30), ">f4", (1, 1, 1, 7, 11), {"version": "0.4", "axes": "tcyx", "chunks": (1, 1, 7, 11)}
    ),
    "0.4 yx": ((20, 30), "f8", (1, 1, 1, 20, 30), {"version": "0.4", "axes": "yx"}),
    "0.5": ((4, 2, 5, 20, 30), "u2", (1, 1, 1, 20, 30), {"version": "0.5"}),
    "0.5 sharded": (
        (6, 1, 5, 20, 30), "u2", (2, 1, 5, 20, 30),
        {"version": "0.5", "chunks": (1, 1, 1, 10, 30), "shards": (2, 1, 5, 20, 30)},
    ),
}  # fmt: skip

PROCESS = """
import atexit, gc, sys, aiohttp
from idr_assets.imaging.reading.fingerprint import read_fingerprint
from idr_assets.imaging.reading.level import open_level
from idr_assets.imaging.reading.retries import Patience
sessions = []
atexit.register(lambda: print([session.closed for session in sessions]))  # the last that is registered runs first
level = open_level(sys.argv[1], "0")
sessions += [thing for thing in gc.get_objects() if isinstance(thing, aiohttp.ClientSession)]
print([session.closed for session in sessions], read_fingerprint(level))
"""

OPENING = """
import sys
from pathlib import Path
from idr_assets.imaging.reading.fingerprint import read_fingerprint
from idr_assets.imaging.reading.level import open_level
from idr_assets.imaging.reading.retries import Patience
level = open_level(sys.argv[1], "4")
lazy = level.lazy()
read_fingerprint(level)
peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:"))
print(lazy.shape, lazy.dtype, lazy.chunksize, int(peak.split()[1]) * 1024, sep=";")
"""
"""Asks Linux for the peak, for `ru_maxrss` counts what the process that started this one had too."""


def check_reading(url: str, storage_options: dict[str, Any], layout: str, expected: npt.NDArray[Any]) -> None:
    level = open_level(url, "0", storage_options)
    assert (level.shape, level.dtype, level.chunks) == (expected.shape, expected.dtype, LAYOUTS[layout][2])
    np.testing.assert_array_equal(level.lazy().compute(), expected)
    t, c, z = (range(length // 3, length) for length in expected.shape[:3])
    block = Block(t, tuple(reversed(c)), z)
    read = pickle.loads(pickle.dumps(level)).read(block)  # noqa: S301
    assert read.dtype == expected.dtype
    np.testing.assert_array_equal(read, expected[t.start :, list(block.c), z.start :])


def write(folder: Path, layout: str) -> npt.NDArray[Any]:
    """Write an image and give its pixels as TCZYX."""
    shape, dtype, _, options = LAYOUTS[layout]
    pixels = np.random.default_rng(0).integers(0, 100, shape).astype(dtype)
    write_image(folder / "image.zarr", pixels, **options)
    absent = [axis for axis, name in enumerate("tczyx") if name not in options.get("axes", "tczyx")]
    return np.expand_dims(pixels, tuple(absent))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_reads_as_tczyx(tmp_path: Path, layout: str) -> None:
    pixels = write(tmp_path, layout)
    check_reading(str(tmp_path / "image.zarr"), {}, layout, pixels)
    with StoreServer(tmp_path) as server:
        check_reading(f"{server.url}/image.zarr", {}, layout, pixels)


@pytest.mark.parametrize("layout", ["0.1", "0.5 sharded"])
def test_a_public_bucket_reads_as_tczyx(tmp_path: Path, layout: str, s3: str, caplog: pytest.LogCaptureFixture) -> None:
    pixels = write(tmp_path, layout)
    bucket = tmp_path.name.replace("_", "-")
    writer = s3fs.S3FileSystem(key="key", secret="secret", endpoint_url=s3)  # noqa: S106
    writer.mkdir(bucket, acl="public-read")
    writer.put(str(tmp_path / "image.zarr"), f"{bucket}/image.zarr", recursive=True)
    caplog.clear()
    check_reading(f"s3://{bucket}/image.zarr", {"anon": True, "client_kwargs": {"endpoint_url": s3}}, layout, pixels)
    assert "GET" in caplog.text
    assert "HEAD" not in caplog.text


@pytest.mark.parametrize("version", ["0.1", "0.4"])
def test_opening_the_idr_level_is_cheap_and_reads_no_chunk(tmp_path: Path, version: Literal["0.1", "0.4"]) -> None:
    image = write_idr_store(tmp_path, version=version, t=[261], c=[0], z=[489])
    with StoreServer(tmp_path) as server:
        command = [sys.executable, "-c", OPENING, f"{server.url}/{image.relative_to(tmp_path)}"]
        opened = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
        asked = {Path(path).name for _, path in server.requests}
    *found, peak = opened.stdout.split(";")
    assert found == ["(532, 2, 988, 128, 135)", ">u2", "(1, 1, 1, 128, 135)"]
    assert asked <= {"zarr.json", ".zgroup", ".zattrs", ".zmetadata", ".zarray"}
    assert int(peak) < 300e6


MISSING = {
    "v2, flat keys": ({"version": "0.1"}, "2.1.3.0.0", "t 2 c 1 z 3"),
    "v2, nested keys": ({"version": "0.4"}, "2/1/3/0/0", "t 2 c 1 z 3"),
    "v3": ({"version": "0.5"}, "c/2/1/3/0/0", "t 2 c 1 z 3"),
    "planes cut": ({"version": "0.4", "chunks": (1, 1, 1, 4, 4)}, "2/1/3/1/2", "t 2 c 1 z 3"),
    "many planes a chunk": ({"version": "0.4", "chunks": (3, 2, 2, 8, 9)}, "0/0/1/0/0", "t 1 c 1 z 2"),
    "a shard": ({"version": "0.5", "chunks": (1, 1, 1, 8, 9), "shards": (1, 2, 5, 8, 9)}, "c/3/0/0/0/0", "t 3 c 1 z 1"),
}  # fmt: skip


@pytest.mark.parametrize(("options", "key", "plane"), MISSING.values(), ids=MISSING)
def test_a_missing_chunk_is_an_error_that_names_plane_and_address(
    tmp_path: Path, options: Mapping[str, Any], key: str, plane: str
) -> None:
    write_image(tmp_path / "image.zarr", np.ones((4, 2, 5, 8, 9), "u2"), **options)
    (tmp_path / "image.zarr/0" / key).unlink()
    with StoreServer(tmp_path) as server:
        level = open_level(f"{server.url}/image.zarr", "0")
        with pytest.raises(ImageError) as error:
            level.read(Block(range(1, 4), (1,), range(1, 5)))
        missing = f"The chunk {server.url}/image.zarr/0/{key} is missing, so "
        assert f"{missing}{plane} has no pixels" in str(error.value)
        assert "write `missing_chunks: zeros` below `reading`; otherwise leave the plane out of `window`." in str(
            error.value
        )
        with pytest.raises(MissingChunkError, match=re.escape(missing)):
            level.lazy().compute(scheduler="sync")


def test_another_process_gives_the_same_fingerprint_and_closes_its_sessions(tmp_path: Path) -> None:
    write_image(tmp_path / "image.zarr", np.ones((1, 1, 1, 20, 30), "u2"), version="0.4")
    with StoreServer(tmp_path) as server:
        url = f"{server.url}/image.zarr"
        command = [sys.executable, "-W", "error", "-c", PROCESS, url]
        ended = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
        expected = read_fingerprint(open_level(url, "0"))
    assert (ended.stdout, ended.stderr) == (f"[False] {expected}\n[True]\n", "")


def is_indirect(protocol: str) -> bool:
    try:
        options = signature(get_filesystem_class(protocol).__init__).parameters
    except ImportError:  # of a package that is not here
        return protocol in INDIRECT
    return not {"fo", "fs", "target_protocol", "default_method"}.isdisjoint(options)


def test_every_protocol_of_fsspec_that_reads_another_address_is_known() -> None:
    assert set(filter(is_indirect, known_implementations)) | {"simplecache"} == INDIRECT


@pytest.mark.parametrize("protocol", sorted(INDIRECT))
def test_no_address_behind_another_one_is_read_and_no_copy_of_it_kept(tmp_path: Path, protocol: str) -> None:
    write_image(tmp_path / "image.zarr", np.zeros((1, 1, 1, 20, 30), "u2"), version="0.4")
    options = {"target_protocol": "file", "cache_storage": str(tmp_path / "copies")}
    with pytest.raises(ImageError, match="a protocol such as zip, is not read"):
        open_level(f"{protocol}://{tmp_path}/image.zarr", "0", options)
    assert not (tmp_path / "copies").exists()


LOCAL = """
import sys
from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.planes import Block
from idr_assets.imaging.reading.fingerprint import read_fingerprint
from idr_assets.imaging.reading.level import open_level
from idr_assets.imaging.reading.retries import Patience
level = open_level(sys.argv[1], "0")
read_fingerprint(level)
for t in range(2):
    try:
        level.read(Block(range(t, t + 1), (0,), range(1)))
    except ImageError as error:
        print(type(error).__name__)
print(*sys.modules.keys() & {"aiohttp", "botocore", "s3fs", "aiobotocore"})
"""


def test_an_image_in_a_folder_does_not_pay_for_the_clients_of_http_and_s3(tmp_path: Path) -> None:
    image = write_image(tmp_path / "image.zarr", np.ones((2, 1, 1, 20, 30), "u2"), version="0.4")
    (image / "0/1/0/0/0/0").unlink()
    command = [sys.executable, "-c", LOCAL, str(image)]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "MissingChunkError\n\n"  # noqa: S603


@pytest.mark.parametrize("document", [".zattrs", "0/.zarray", "0/0/0/0/0/0"])
@pytest.mark.parametrize("body", [b"\xff{}", b"<!doctype html>", b""])
def test_a_file_that_is_damaged_in_a_folder_is_refused_at_once(tmp_path: Path, document: str, body: bytes) -> None:
    image = write_image(tmp_path / "image.zarr", np.ones((1, 1, 1, 20, 30), "u2"), version="0.4")
    (image / document).write_bytes(body)
    patience = Patience(wait=600.0, seconds=3000.0)
    with pytest.raises(ImageError, match=re.escape(f"{image}/{document} is damaged: ") + ".*Restore it from a copy"):
        open_level(str(image), "0", patience=patience).read(Block(range(1), (0,), range(1)))


def test_bytes_that_cannot_be_decoded_in_a_folder_are_refused_at_once(tmp_path: Path) -> None:
    pixels = np.ones((1, 1, 1, 20, 30), "u2")
    image = write_image(tmp_path / "image.zarr", pixels, version="0.5", shards=pixels.shape)
    shard = image / "0/c/0/0/0/0/0"
    shard.write_bytes(bytes(8) + shard.read_bytes()[8:])  # the index at its end is whole
    with pytest.raises(ImageError, match="0/c/0/0/0/0/0 is damaged: zstd cannot decode it"):
        open_level(str(image), "0", patience=Patience(wait=600.0)).read(Block(range(1), (0,), range(1)))
