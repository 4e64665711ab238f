"""Sharded images with missing parts: a chunk that its shard marks as empty is missing."""

from pathlib import Path
from typing import Any

import google_crc32c
import numpy as np
import numpy.typing as npt
import pytest
import zarr
from zarr.codecs import ShardingCodec, TransposeCodec

from idr_assets.imaging.errors import ImageError, MissingChunkError
from idr_assets.imaging.planes import Block, Plane
from idr_assets.imaging.reading.level import open_level
from idr_assets.imaging.reading.retries import Patience
from idr_assets_tests.support.idr_stores import write_image
from idr_assets_tests.support.store_faults import status
from idr_assets_tests.support.store_server import StoreServer

SHARD = "*/0/c/0/0/0/0/0"
HASTY = Patience(tries=3, timeout=0.5, seconds=20, wait=0.01)


SPARSE = np.ones((2, 1, 4, 8, 12), "u2")
SPARSE[1, 0, 2, 4:, 4:8] = 0
"""One chunk of 4 x 4 pixels is blank: in the middle of a plane, which is in the middle of a shard of eight planes."""
BLANK = Plane(1, 0, 2)
INNER, SHARDS = (1, 1, 1, 4, 4), (2, 1, 4, 8, 12)
NESTED = ShardingCodec(chunk_shape=(1, 1, 1, 8, 12), codecs=[ShardingCodec(chunk_shape=INNER)])

LAYOUTS: dict[str, dict[str, Any]] = {
    "shards": {"chunks": INNER, "shards": SHARDS},
    "small shards": {"chunks": INNER, "shards": (1, 1, 1, 8, 4)},
    "filled with 7": {"chunks": INNER, "shards": SHARDS, "fill_value": 7},
    "filled with NaN": {"chunks": INNER, "shards": SHARDS, "fill_value": np.nan, "dtype": "f4"},
    "shards in shards": {"chunks": SHARDS, "serializer": NESTED, "compressors": None},
    "turned shards": {
        "chunks": SHARDS,
        "filters": TransposeCodec(order=(2, 1, 0, 3, 4)),
        "serializer": ShardingCodec(chunk_shape=INNER),
        "compressors": None,
    },
}


def write_sparse(folder: Path, layout: str = "shards", *, write_empty_chunks: bool = False) -> npt.NDArray[Any]:
    """Write SPARSE with the fill value in place of zeros, its blank chunk left out unless told otherwise."""
    options: dict[str, Any] = {"dtype": "u2", "fill_value": 0} | LAYOUTS[layout]
    pixels: npt.NDArray[Any] = np.where(SPARSE, SPARSE, options["fill_value"]).astype(options["dtype"])
    write_image(folder / "image.zarr", pixels, version="0.5")
    array = zarr.create_array(
        folder / "image.zarr/0",
        shape=pixels.shape,
        config={"write_empty_chunks": write_empty_chunks},
        overwrite=True,
        **options,
    )
    array[...] = pixels
    return pixels


@pytest.mark.filterwarnings("ignore:Combining a `sharding_indexed`")  # which turns the shards
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_chunk_that_its_shard_marks_as_empty_is_an_error_that_names_plane_and_shard(
    tmp_path: Path, layout: str
) -> None:
    pixels = write_sparse(tmp_path, layout)
    level = open_level(str(tmp_path / "image.zarr"), "0")
    shard = "1/0/2/0/1" if layout == "small shards" else "0/0/0/0/0"
    lazy = level.lazy()
    reads: list[Any] = [
        lambda: level.read(BLANK.block),
        lambda: level.read(Block(range(2), (0,), range(4))),
        lambda: lazy.compute(scheduler="sync"),
    ]
    for read in reads:
        with pytest.raises(MissingChunkError) as error:
            read()
        message = str(error.value)
        assert f"The shard {tmp_path}/image.zarr/0/c/{shard} marks the chunk of {BLANK} at y 4 x 4 as empty" in message
        zeros, other = "write `missing_chunks: zeros` below `reading`", "its fill value, and not for zeros"
        assert (other if "filled" in layout else zeros) in message
        assert "the other planes of the run are made and stay. This one remains failed" in message
    np.testing.assert_array_equal(level.read(Block(range(1), (0,), range(4))), pixels[:1])
    np.testing.assert_array_equal(level.read(BLANK.block, slice(0, 8), slice(8, 12)), pixels[1:, :, 2:3, :, 8:])


@pytest.mark.filterwarnings("ignore:Combining a `sharding_indexed`")  # which turns the shards
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_chunk_of_nothing_but_the_fill_value_that_is_stored_is_read(tmp_path: Path, layout: str) -> None:
    pixels = write_sparse(tmp_path, layout, write_empty_chunks=True)
    read = open_level(str(tmp_path / "image.zarr"), "0").read(Block(range(2), (0,), range(4)))
    np.testing.assert_array_equal(read, pixels)


def test_an_empty_chunk_is_zeros_where_the_store_is_sparse_by_intent(tmp_path: Path) -> None:
    pixels = write_sparse(tmp_path)
    with StoreServer(tmp_path) as server:
        level = open_level(f"{server.url}/image.zarr", "0", missing_chunks="zeros")
        np.testing.assert_array_equal(level.read(BLANK.block), pixels[1:, :, 2:3])


def test_blank_chunks_alone_are_asked_for_again(tmp_path: Path) -> None:
    write_sparse(tmp_path)
    with StoreServer(tmp_path) as server:
        level = open_level(f"{server.url}/image.zarr", "0", patience=HASTY)
        server.reset()
        level.read(Plane(0, 0, 2).block)
        good = len(server.requests)
        with pytest.raises(MissingChunkError, match=f"^The shard {server.url}/image.zarr/0/c/0/0/0/0/0 marks"):
            level.read(BLANK.block)
        assert len(server.requests) <= 2 * good + 1  # the index, to ask for the blank chunk
        server.faults[SHARD] = [None] * good + [status(503)] * 3
        with pytest.raises(ImageError, match=r"/image\.zarr/0/c/0/0/0/0/0 cannot be read \(3 tries\)"):
            level.read(BLANK.block)


def test_a_shard_that_is_stored_and_wholly_empty_is_missing(tmp_path: Path) -> None:
    write_sparse(tmp_path)
    index = np.full((SPARSE.size // np.prod(INNER), 2), 2**64 - 1, "<u8").tobytes()
    checksum = google_crc32c.value(index).to_bytes(4, "little")
    (tmp_path / "image.zarr/0/c/0/0/0/0/0").write_bytes(index + checksum)
    with pytest.raises(MissingChunkError, match="marks the chunk of t 0 c 0 z 0 at y 0 x 0 as empty"):
        open_level(str(tmp_path / "image.zarr"), "0").read(Block(range(2), (0,), range(4)))
