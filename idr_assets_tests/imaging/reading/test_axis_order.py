"""Axes in any order and by any name: what is read is TCZYX, and so is all that follows from it."""

import json
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import zarr

from idr_assets.imaging.errors import ImageError, MissingChunkError
from idr_assets.imaging.ome_zarr.axes import read_axes
from idr_assets.imaging.ome_zarr.multiscales import Multiscale
from idr_assets.imaging.output.creation import create_output
from idr_assets.imaging.planes import Block, Plane
from idr_assets.imaging.reading.fingerprint import read_fingerprint
from idr_assets.imaging.reading.level import Level, open_level
from idr_assets.imaging.reading.probe import check_pixels
from idr_assets.imaging.segmentation.block_task import BlockTask
from idr_assets.imaging.segmentation.functions import gaussian_threshold
from idr_assets_tests.support.idr_stores import Version, nuclei_plane, write_image
from idr_assets_tests.support.small_image import recipe
from idr_assets_tests.support.store_server import StoreServer

SHAPE = {"t": 4, "c": 2, "z": 5, "y": 20, "x": 30}
PIXELS = np.array([[[nuclei_plane(t, c, z, (20, 30)) for z in range(5)] for c in range(2)] for t in range(4)])
CHUNKS = {"t": 2, "c": 1, "z": 2, "y": 9, "x": 30}
SHARDS = {"t": 2, "c": 2, "z": 4, "y": 18, "x": 30}
ORDERS = ["tcxyz", "xyzct", "yxtzc", "zcyx", "yxc", "xy", "cyxz", "tzcyx", "txcyz"]


def tczyx(axes: str) -> npt.NDArray[Any]:
    """Give the pixels that an image with these axes has."""
    return PIXELS[tuple(slice(None) if axis in axes else slice(1) for axis in "tczyx")]


def write(image: Path, axes: str, version: Version = "0.5", *, sharded: bool = False) -> Path:
    absent = tuple(at for at, axis in enumerate("tczyx") if axis not in axes)
    stored = [axis for axis in "tczyx" if axis in axes]
    pixels = tczyx(axes).squeeze(absent).transpose([stored.index(axis) for axis in axes])
    chunks, shards = (tuple(sizes[axis] for axis in axes) for sizes in (CHUNKS, SHARDS))
    return write_image(image, pixels, version=version, axes=axes, chunks=chunks, shards=shards if sharded else None)


@pytest.mark.parametrize("axes", ORDERS)
@pytest.mark.parametrize(("version", "sharded"), [("0.4", False), ("0.5", False), ("0.5", True), ("0.6", False)])
def test_axes_in_any_order_are_read_as_tczyx(tmp_path: Path, axes: str, version: Version, *, sharded: bool) -> None:
    level = open_level(str(write(tmp_path / "image.zarr", axes, version, sharded=sharded)), "0")
    expected = tczyx(axes)
    sizes = SHARDS if sharded else CHUNKS
    assert (level.shape, level.dtype) == (expected.shape, expected.dtype)
    assert level.chunks == tuple(sizes[axis] if axis in axes else 1 for axis in "tczyx")
    np.testing.assert_array_equal(level.lazy().compute(scheduler="sync"), expected)
    t, c, z = (range(length // 3, length) for length in expected.shape[:3])
    read = level.read(Block(t, tuple(reversed(c)), z), slice(3, 17), slice(5, 11))
    np.testing.assert_array_equal(read, expected[t.start :, c[::-1], z.start :, 3:17, 5:11])
    assert read.flags.c_contiguous
    assert level.geometry.scale == tuple(
        {"t": 30, "c": 1, "z": 2}.get(it, 0.4) if it in axes else None for it in "tczyx"
    )
    check_pixels(level, Block(t, tuple(c), z), sparse=False, byte_order_known=False)


@pytest.mark.parametrize("axes", ORDERS)
def test_a_block_reads_each_of_its_chunks_once_and_those_are_the_keys_of_its_planes(tmp_path: Path, axes: str) -> None:
    write(tmp_path / "image.zarr", axes)
    with StoreServer(tmp_path) as server:
        level = open_level(f"{server.url}/image.zarr", "0")
        window = Block(*(range(level.shape[0]), tuple(range(level.shape[1])), range(level.shape[2])))
        server.reset()
        for block in window.cut(level.chunks, 4):
            level.read(block)
        asked = [path.removeprefix("/image.zarr/0/") for _, path in server.requests]
    keys = {key for plane in window.planes() for key in level.chunk_keys(plane)}
    assert sorted(asked) == sorted(keys)


@pytest.mark.parametrize("axes", ["tcxyz", "xyzct", "yxtzc"])
def test_a_missing_chunk_is_named_by_its_plane(tmp_path: Path, axes: str) -> None:
    level = open_level(str(write(tmp_path / "image.zarr", axes)), "0")
    lost = Plane(3, 1, 4)
    key = level.chunk_keys(lost)[-1]
    (tmp_path / "image.zarr/0" / key).unlink()
    with pytest.raises(MissingChunkError, match=f"/{key} is missing, so t 2 c 1 z 4 has no pixels"):
        level.read(Block(range(4), (0, 1), range(5)))
    level.read(Block(range(4), (0,), range(5)))


@pytest.mark.parametrize("axes", ["tcxyz", "xyzct", "yxtzc"])
def test_an_empty_chunk_of_a_shard_is_named_by_its_plane(tmp_path: Path, axes: str) -> None:
    image = write(tmp_path / "image.zarr", axes, sharded=True)
    array: Any = zarr.open_array(image / "0", mode="r+")
    place = {"t": slice(2, 4), "c": slice(1, 2), "z": slice(2, 4), "y": slice(9, 18), "x": slice(None)}
    array[tuple(place[axis] for axis in axes)] = 0  # without `write_empty_chunks`, so that it is left out
    level = open_level(str(image), "0")
    with pytest.raises(MissingChunkError, match="marks the chunk of t 2 c 1 z 2 at y 9 x 0 as empty"):
        level.read(Block(range(4), (0, 1), range(5)))
    level.read(Block(range(4), (0,), range(5)))


def test_labels_and_pixels_of_the_output_are_those_of_tczyx(tmp_path: Path) -> None:
    level = open_level(str(write(tmp_path / "image.zarr", "xzyct")), "0")
    output = create_output(str(tmp_path / "output.ome.zarr"), level)
    block = Block(range(1, 3), (0, 1), range(2, 5))
    BlockTask(level, output, gaussian_threshold)(block)
    for plane in block.planes():
        stored, pixels = output.read(plane), PIXELS[plane.t, plane.c, plane.z]
        assert stored
        np.testing.assert_array_equal(stored.pixels, pixels)
        np.testing.assert_array_equal(stored.labels, recipe(pixels))
    opened = open_level(output.url, "0")
    assert opened.geometry.axes == tuple("tczyx")
    assert opened.geometry.scale == level.geometry.scale


def digest(image: Path) -> str:
    level: Level = open_level(str(image), "0")
    return read_fingerprint(level).digest


def test_a_fingerprint_changes_with_the_order_of_the_axes(tmp_path: Path) -> None:
    image = write_image(tmp_path / "image.zarr", PIXELS[:, 0], version="0.4", axes="tzyx")
    before, document = digest(image), image / ".zattrs"
    document.write_text(document.read_text().replace('"name": "t"', '"name": "?"'))
    document.write_text(
        document.read_text().replace('"name": "z"', '"name": "t"').replace('"name": "?"', '"name": "z"')
    )
    assert digest(image) != before


def axes_of(*named: tuple[str | None, str | None] | str) -> str:
    axes = [it if isinstance(it, str) else {"name": it[0], "type": it[1]} for it in named]
    return "".join(read_axes("image.zarr", Multiscale({"axes": axes}, (0, 4)), {}, []))


NAMED = {
    "tczyx": [("T", "time"), ("C", "channel"), ("Z", "space"), ("Y", "space"), ("X", "space")],
    "czyx": [("channel", "channel"), ("depth", "space"), ("height", "space"), ("width", "space")],
    "xyt": [("X", None), ("Y", ""), ("T", "odd")],
    "tyx": [("frame", "time"), ("row", "space"), ("column", "space")],
    "zyx": [("plane", "space"), ("y", "space"), ("x", "space")],
    "xzy": [("x", "space"), ("z", "space"), ("height", "space")],
    "yxc": ["Y", "X", "C"],
    "cyx": [(None, "channel"), (None, "space"), (None, "space")],
}
UNKNOWN = {
    "a type that is none": ["w", "c", "z", "y", "x"],
    "two of one kind": [("a", "channel"), ("b", "channel"), ("y", "space"), ("x", "space")],
    "four of space": [("a", "space"), ("b", "space"), ("c1", "space"), ("d", "space")],
    "two that could be either": [("x", "space"), ("a", "space"), ("b", "space")],
    "without x": ["z", "y"],
    "one of space": [("t", "time"), ("y", "space")],
    "the same twice": ["y", "Y", "x"],
    "none": [],
}


@pytest.mark.parametrize(("letters", "named"), NAMED.items())
def test_an_axis_is_what_its_name_or_its_type_says(letters: str, named: list[Any]) -> None:
    assert axes_of(*named) == letters


@pytest.mark.parametrize("named", UNKNOWN.values(), ids=UNKNOWN)
def test_axes_that_are_not_known_are_refused_by_name(named: list[Any]) -> None:
    with pytest.raises(ImageError, match=r"The axes of image.zarr are \[.*\]|name no axes") as error:
        axes_of(*named)
    assert all(str(axis if isinstance(axis, str) else axis[0]) in str(error.value) for axis in named)


def test_every_order_of_five_axes_is_known() -> None:
    assert all(axes_of(*order) == "".join(order) for order in permutations("tczyx"))


@pytest.mark.parametrize("version", [(0, 1), (0, 2), None])
def test_without_axes_the_oldest_versions_are_tczyx(version: tuple[int, int] | None) -> None:
    assert "".join(read_axes("image.zarr", Multiscale({}, version), {}, [])) == "tczyx"


@pytest.mark.parametrize("version", [(0, 3), (0, 4), (0, 5), (0, 6)])
def test_without_axes_a_later_version_is_refused(version: tuple[int, int]) -> None:
    with pytest.raises(ImageError, match=rf"name no axes, as OME-Zarr 0.{version[1]} must"):
        read_axes("image.zarr", Multiscale({}, version), {}, [])


def test_names_of_dimensions_in_another_order_are_remarked(tmp_path: Path) -> None:
    document = write(tmp_path / "image.zarr", "tczyx") / "0/zarr.json"
    assert open_level(str(tmp_path / "image.zarr"), "0").remarks == ()
    document.write_text(json.dumps(json.loads(document.read_text()) | {"dimension_names": [*"TCXYZ"]}))
    level = open_level(str(tmp_path / "image.zarr"), "0")
    (remark,) = level.remarks
    assert "dimensions ['t', 'c', 'x', 'y', 'z'], the image ['t', 'c', 'z', 'y', 'x']: the axes of the image" in remark
    np.testing.assert_array_equal(level.read(Block(range(4), (0, 1), range(5))), PIXELS)
