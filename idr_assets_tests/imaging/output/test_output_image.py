"""The output image: its layout on disk, and that no write touches what is not its own."""

import gc
import weakref
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import zarr

from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.ome_zarr.formats import FORMATS
from idr_assets.imaging.output import creation, writing
from idr_assets.imaging.output.arrays import write_planes
from idr_assets.imaging.output.creation import create_output
from idr_assets.imaging.output.output_image import OutputImage, open_output
from idr_assets.imaging.output.provenance import Provenance, add_provenance, read_provenance
from idr_assets.imaging.output.writing import store_planes
from idr_assets.imaging.planes import Block, Plane
from idr_assets.imaging.reading.documents import DOCUMENTS
from idr_assets.imaging.reading.level import Level, open_level
from idr_assets_tests.support.dagster_home import wait_until
from idr_assets_tests.support.damage import chunk_of, flip_bit
from idr_assets_tests.support.idr_stores import write_image
from idr_assets_tests.support.stored_files import files

SHAPE = (3, 2, 4, 20, 30)
PROVENANCE = Provenance.from_json({"source": {"level": "0"}, "versions": {"zarr": "3"}})
ARRAYS = ("0", "labels/segmentation/0")


@pytest.fixture
def level(tmp_path: Path) -> Level:
    """Write and open a source whose pixels are all 1."""
    write_image(tmp_path / "source.zarr", np.ones(SHAPE, ">u2"), version="0.4")
    return open_level(str(tmp_path / "source.zarr"), "0")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Name an output that is not there yet."""
    return tmp_path / "output.ome.zarr"


@pytest.fixture(params=FORMATS)
def image(folder: Path, level: Level, request: pytest.FixtureRequest) -> OutputImage:
    """Make the output, in both formats."""
    return create_output(str(folder), level, version=request.param)


def chunks(folder: Path) -> set[str]:
    return {name for name in files(folder) if name.rpartition("/")[2] not in DOCUMENTS}


def values(block: Block, seed: int = 0) -> tuple[npt.NDArray[np.uint16], npt.NDArray[np.int32]]:
    """Make random pixels and labels for a block."""
    random = np.random.default_rng(seed)
    shape = (len(block.t), len(block.c), len(block.z), *SHAPE[3:])
    return random.integers(0, 2**16, shape, np.uint16), random.integers(0, 9, shape, np.int32)


def plane_keys(image: OutputImage, planes: Iterable[Plane]) -> set[str]:
    """Name the files of planes, which are a chunk each: `c/` is the start of a chunk's key in Zarr v3 alone."""
    start = "c/" if image.format.version == "0.5" else ""
    return {f"{array}/{start}{plane.t}/{plane.c}/{plane.z}/0/0" for array in ARRAYS for plane in planes}


def test_layout_is_one_plane_a_chunk_with_checksums(image: OutputImage, folder: Path) -> None:
    assert (image.pixels.shape, image.labels.shape, image.plane_chunks) == (SHAPE, SHAPE, (20, 30))
    for array, dtype in zip(ARRAYS, ("uint16", "int32"), strict=True):
        stored = zarr.open_array(folder, path=array, mode="r")
        assert (stored.dtype.name, stored.fill_value, stored.chunks) == (dtype, 0, (1, 1, 1, 20, 30))
        metadata: dict[str, Any] = dict(stored.metadata.to_dict())
        if image.format.version == "0.5":
            assert metadata["dimension_names"] == tuple("tczyx")
            assert [codec["name"] for codec in metadata["codecs"]] == ["bytes", "zstd", "crc32c"]
        else:
            assert (metadata["compressor"]["id"], metadata["filters"]) == ("zlib", None)
    assert chunks(folder) == set()


def test_a_block_of_channels_is_read_back_plane_by_plane(image: OutputImage, folder: Path) -> None:
    block = Block(range(1, 3), (1, 0), range(2, 4))
    pixels, labels = values(block)
    store_planes(image, block, pixels, labels)
    for index, plane in enumerate(block.planes()):
        labelled = open_output(str(folder)).read(plane)
        assert labelled is not None
        assert (labelled.t, labelled.c, labelled.z) == (plane.t, plane.c, plane.z)
        np.testing.assert_array_equal(labelled.pixels, pixels.reshape(-1, 20, 30)[index])
        np.testing.assert_array_equal(labelled.labels, labels.reshape(-1, 20, 30)[index])
    assert chunks(folder) == plane_keys(image, block.planes())


@pytest.mark.parametrize("stored_z", [range(2, 4), range(2, 3)], ids=["all are stored", "some are stored"])
def test_a_grid_of_planes_is_read_as_each_alone(image: OutputImage, stored_z: range) -> None:
    block = Block(range(3), (1, 0), stored_z)
    store_planes(image, block, *values(block))
    t, c, z = [0, 2], [1, 0], range(2, 4)
    grid = image.read_grid(t, c, z)
    assert list(grid) == list(product(t, c, z))
    assert sum(plane is not None for plane in grid.values()) == 4 * len(stored_z)
    for where, plane in grid.items():
        np.testing.assert_equal(plane and vars(plane), (alone := image.read(Plane(*where))) and vars(alone))


def test_an_empty_plane_differs_from_one_that_is_not_stored(image: OutputImage) -> None:
    shape = (1, 1, 1, *SHAPE[3:])
    store_planes(image, Block(range(1, 2), (0,), range(1, 2)), np.zeros(shape, np.uint16), np.zeros(shape, np.int32))
    empty = image.read(Plane(1, 0, 1))
    assert empty is not None
    assert not empty.pixels.any()
    assert not empty.labels.any()
    assert empty.labels.dtype == np.int32
    assert [image.read(Plane(*where)) for where in ((1, 0, 2), (1, 1, 1), (0, 0, 1))] == [None] * 3


def test_labels_of_every_group_go_with_the_pixels_that_they_belong_to(
    image: OutputImage, folder: Path, level: Level
) -> None:
    block = Block(range(1), (0, 1), range(1, 3))
    other = create_output(str(folder), level, "other", version=image.format.version)
    pixels, labels = values(block)
    for each in (image, other):
        store_planes(each, block, pixels, labels)
    before = files(folder)
    store_planes(image, block, pixels, labels)
    assert files(folder) == before
    pixels[0, 1, 1] += 1
    store_planes(image, block, pixels, labels)
    stored = other.read_grid([0], [0, 1], [1, 2])
    assert [where for where, plane in stored.items() if plane is None] == [(0, 1, 2)]
    assert all(image.read_grid([0], [0, 1], [1, 2]).values())
    assert chunk_of(other, Plane(0, 1, 1)).is_file()


def test_what_others_noted_of_the_labels_stays(folder: Path, image: OutputImage, level: Level) -> None:
    group = zarr.open_group(folder, path="labels")
    group.attrs["noted"] = "by another tool"
    create_output(str(folder), level, "other", version=image.format.version)
    found: Any = zarr.open_group(folder, path="labels", mode="r").attrs.asdict()
    assert (found["noted"], found.get("ome", found)["labels"]) == ("by another tool", ["other", image.name])


def test_a_plane_whose_writing_was_interrupted_is_not_stored(image: OutputImage) -> None:
    block = Block(range(1), (0,), range(1))
    store_planes(image, block, *values(block))
    chunk_of(image, Plane(0, 0, 0)).unlink()
    assert image.read(Plane(0, 0, 0)) is None


READS: dict[str, Callable[[OutputImage], object]] = {
    "a plane": lambda image: image.read(Plane(0, 0, 0)),
    "a grid": lambda image: image.read_grid([0], [0], [0]),
    "lazily": lambda image: image.lazy()[0, 0, 0].compute(),
}


@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_a_spoilt_chunk_is_an_error_that_names_the_plane(
    image: OutputImage, read: Callable[[OutputImage], object]
) -> None:
    block = Block(range(1), (0,), range(1))
    store_planes(image, block, *values(block))
    flip_bit(chunk_of(image, Plane(0, 0, 0)))
    with pytest.raises(ImageError, match=r"t 0 c 0 z 0 is damaged in .*(checksum|decompressing).* Materialize it"):
        read(image)


def test_a_plane_with_spoilt_pixels_is_written_anew_and_loses_its_other_labels(
    image: OutputImage, folder: Path, level: Level
) -> None:
    plane = Plane(0, 0, 0)
    other = create_output(str(folder), level, "other", version=image.format.version)
    for each in (image, other):
        store_planes(each, plane.block, *values(plane.block))
    flip_bit(chunk_of(image, plane, "pixels"))
    store_planes(image, plane.block, *values(plane.block))
    labelled = image.read(plane)
    assert labelled is not None
    np.testing.assert_array_equal(labelled.pixels, values(plane.block)[0][0, 0, 0])
    assert other.read(plane) is None


def test_writing_a_block_leaves_every_other_file_alone(image: OutputImage, folder: Path) -> None:
    everything = Block(range(3), (0, 1), range(4))
    store_planes(image, everything, *values(everything))
    before = files(folder)
    block = Block(range(1, 2), (1,), range(2, 4))
    store_planes(image, block, *values(block, seed=1))
    after = files(folder)
    changed = {name for name in after if after[name] != before.get(name)}
    assert after.keys() == before.keys()
    assert changed == plane_keys(image, block.planes())


def test_pixels_that_are_stored_are_not_written_again(image: OutputImage, folder: Path) -> None:
    block = Block(range(1, 2), (1,), range(2))
    pixels, labels = values(block)
    store_planes(image, block, pixels, labels)
    chunk = chunk_of(image, block.planes()[0], "pixels")
    written, before = chunk.stat().st_mtime_ns, files(folder)
    left = chunk.with_name(f"{chunk.name}.of-a-killed-writer.partial")
    left.touch()
    store_planes(image, block, pixels, labels + 1)
    assert chunk.stat().st_mtime_ns == written
    assert not left.exists()
    assert {name for name in before if files(folder)[name] != before[name]} == {
        key for key in plane_keys(image, block.planes()) if key.startswith("labels/")
    }


def test_pixels_are_compared_bit_for_bit(tmp_path: Path) -> None:
    write_image(tmp_path / "floats.zarr", np.zeros((1, 1, 1, 2, 3), ">f4"), version="0.4")
    image = create_output(str(tmp_path / "output"), open_level(str(tmp_path / "floats.zarr"), "0"))
    block, labels = Block(range(1), (0,), range(1)), np.ones((1, 1, 1, 2, 3), np.int32)
    for value in (0.0, -0.0):
        store_planes(image, block, np.full(labels.shape, value, ">f4"), labels)
    stored = image.read(Plane(0, 0, 0))
    assert stored is not None
    assert np.signbit(stored.pixels).all()


def test_labels_of_lost_pixels_do_not_come_back_with_others(
    image: OutputImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    plane = Plane(1, 0, 2)
    store_planes(image, plane.block, *values(plane.block))
    chunk_of(image, plane, "pixels").unlink()
    with monkeypatch.context() as patch:  # the writer is killed after the pixels
        patch.setattr(writing, "write_planes", lambda url, block, *arrays: write_planes(url, block, arrays[0]))
        store_planes(image, plane.block, *values(plane.block, seed=1))
    assert image.read(plane) is None


def test_labels_of_a_cut_plane_are_replaced_all_or_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(creation, "LONGEST_CHUNK", 10)
    write_image(tmp_path / "cut.zarr", np.ones((1, 1, 1, 20, 30), ">u2"), version="0.4")
    image = create_output(str(tmp_path / "output"), open_level(str(tmp_path / "cut.zarr"), "0"))
    plane = Plane(0, 0, 0)
    pixels, labels = np.ones((1, 1, 1, 20, 30), np.uint16), np.ones((1, 1, 1, 20, 30), np.int32)
    store_planes(image, plane.block, pixels, labels)
    with monkeypatch.context() as patch:  # the writer is killed before the labels
        patch.setattr(writing, "write_planes", lambda *_: None)
        store_planes(image, plane.block, pixels, labels + 1)
    assert image.read(plane) is None


def test_creating_again_changes_nothing(image: OutputImage, folder: Path, level: Level) -> None:
    block = Block(range(1), (0,), range(1))
    store_planes(image, block, *values(block))
    before = files(folder)
    create_output(str(folder), level, version=image.format.version)
    assert files(folder) == before


def test_provenance_is_noted_once_for_each_way(image: OutputImage, folder: Path) -> None:
    before = files(folder)
    other = replace(PROVENANCE, packages={"zarr": "4"})
    assert read_provenance(str(folder), "segmentation") == []
    for provenance in (PROVENANCE, other, PROVENANCE):
        add_provenance(image, provenance)
    after = files(folder)
    assert sorted(read_provenance(str(folder), "segmentation"), key=str) == [PROVENANCE, other]
    assert before.items() <= after.items()
    groups = {name.rpartition("/")[0] for name in after.keys() - before.keys()}
    assert len(groups) == 3  # one for each way, and that of both


def test_pixels_are_freed_as_soon_as_they_are_written(image: OutputImage) -> None:
    block = Block(range(1, 2), (0,), range(3))
    pixels, labels = values(block)
    freed = weakref.ref(pixels), weakref.ref(labels)
    gc.collect()
    gc.disable()  # which comes round late: what it would free adds up to hundreds of megabytes
    try:
        store_planes(image, block, pixels, labels)
        del pixels, labels
        # A thread of Zarr may hold them until it has something else to do.
        wait_until(lambda: image.read(Plane(1, 0, 0)) and all(it() is None for it in freed), 60)
    finally:
        gc.enable()
