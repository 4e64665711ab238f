"""Shards, compared byte for byte with those of Zarr's own codec, and where they are cut."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import zarr
from zarr.storage import MemoryStore

from idr_assets.imaging.ome_zarr.formats import FORMATS
from idr_assets.imaging.planes import Block
from idr_assets.imaging.published.layout import SHARD_BYTES, Layout
from idr_assets.imaging.published.shards import Shard, chunk_codec
from idr_assets.imaging.published.tables import describe_tables

if TYPE_CHECKING:
    from zarr.core.buffer import Buffer


@pytest.mark.parametrize("tile", [(9, 7), (4, 4), (9, 4)])
@pytest.mark.parametrize("dtype", [">u2", "i4", "f8", "?"])
@pytest.mark.parametrize("left_out", [(), (0,), (1, 2), (3,)])
def test_a_shard_has_the_bytes_of_zarrs_own(tile: tuple[int, int], dtype: str, left_out: tuple[int, ...]) -> None:
    planes = np.random.default_rng(0).integers(0, 9, (4, 9, 7)).astype(dtype)
    grid = (-(-9 // tile[0]), -(-7 // tile[1]))
    shard = Shard(chunk_codec(planes.dtype, tile), (5, *grid))
    stored: dict[str, Buffer] = {}
    array: zarr.Array[Any] = zarr.create_array(
        MemoryStore(stored),
        shape=(5, 9, 7),
        dtype=planes.dtype.newbyteorder("="),
        chunks=(1, *tile),
        shards=(5, grid[0] * tile[0], grid[1] * tile[1]),
        fill_value=0,
        compressors=FORMATS["0.5"].array["compressors"],
        config={"write_empty_chunks": True},
    )
    object.__setattr__(array.metadata.codecs[0], "subchunk_write_order", "lexicographic")  # type: ignore[union-attr]
    for at, plane in enumerate(planes):
        if at not in left_out:
            array[at] = plane
            shard.add(at, plane)
    assert bytes(shard.close() or b"") == stored["c/0/0/0"].to_bytes()


def test_without_any_plane_there_is_no_shard() -> None:
    assert Shard(chunk_codec(np.dtype("u2"), (4, 4)), (3, 1, 1)).close() is None


WHOLE_EMBRYO = (range(532), (0, 1), range(988))


@pytest.mark.parametrize(("plane", "levels"), [((128, 135), 1), ((1000, 1100), 4), ((9000, 12000), 7)])
def test_shards_are_bounded_and_few(plane: tuple[int, int], levels: int) -> None:
    window = Block(*WHOLE_EMBRYO)
    layout = Layout(window, window, plane, np.dtype("u2"))
    assert len(layout.levels) == levels
    for level in layout.levels:
        height, width = level.shape
        assert level.depth == 1 or 4 * height * width * level.depth <= SHARD_BYTES
    slabs = layout.slabs(5)
    assert sum(map(len, slabs)) == 2 * 988
    for slab in slabs:
        assert all(slab.z.start % level.depth == 0 for level in layout.levels)
    first = -(-988 // layout.levels[0].depth)
    assert sum(-(-988 // level.depth) for level in layout.levels) <= 2 * first + levels


@pytest.mark.parametrize(("window", "most"), [(WHOLE_EMBRYO, 10_000), ((range(10), (0,), range(10)), 60)])
def test_the_embryo_and_the_demo_take_few_files(window: tuple[range, tuple[int, ...], range], most: int) -> None:
    planes = Block(*window)
    layout = Layout(planes, planes, (128, 135), np.dtype("u2"))
    shards = sum(len(planes.t) * len(planes.c) * -(-len(planes.z) // level.depth) for level in layout.levels)
    documents = len(describe_tables(["segmentation"])) + 7  # of three groups and two arrays, and the crate with recipes
    assert 2 * shards + 2 * len(planes.t) + documents <= most  # of pixels and labels, and two tables


def test_a_window_within_the_whole_image_is_cut_where_its_shards_end() -> None:
    window, extent = Block(range(1, 2), (0,), range(300, 710)), Block(range(3), (0, 1), range(988))
    layout = Layout(window, extent, (1000, 1100), np.dtype("u2"))
    depth = layout.levels[-1].depth
    slabs = layout.slabs(1)
    assert [z for slab in slabs for z in slab.z] == [*window.z]
    assert len({z // depth for slab in slabs for z in slab.z}) == len(slabs)
