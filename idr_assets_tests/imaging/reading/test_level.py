"""Reading images: every version and layout from every place equals what was written, and no pixel is made up."""

import pickle
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import s3fs

from idr_assets.imaging.errors import ImageError, MissingChunkError
from idr_assets.imaging.planes import Block
from idr_assets.imaging.reading.level import open_level
from idr_assets_tests.support.idr_stores import write_image
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
        advice = "write `missing_chunks: zeros` below `reading`; otherwise the other planes of the run are made and "
        assert advice in str(error.value)
        with pytest.raises(MissingChunkError, match=re.escape(missing)):
            level.lazy().compute(scheduler="sync")
