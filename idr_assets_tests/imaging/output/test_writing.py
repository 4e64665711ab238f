"""Writing planes: no write touches what is not its own, and labels go with the pixels that they belong to."""

import gc
import weakref
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr

from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.output import creation, writing
from idr_assets.imaging.output.arrays import write_planes
from idr_assets.imaging.output.creation import create_output
from idr_assets.imaging.output.output_image import OutputImage
from idr_assets.imaging.output.provenance import Provenance, add_provenance, read_provenance
from idr_assets.imaging.output.writing import remove_labels, store_planes
from idr_assets.imaging.planes import Block, Plane
from idr_assets.imaging.reading.level import Level, open_level
from idr_assets_tests.support.dagster_home import wait_until
from idr_assets_tests.support.damage import chunk_of, flip_bit
from idr_assets_tests.support.idr_stores import write_image
from idr_assets_tests.support.outputs import plane_keys, values
from idr_assets_tests.support.stored_files import files

PROVENANCE = Provenance.from_json({"source": {"level": "0"}, "versions": {"zarr": "3"}})


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
        patch.setattr(writing, "write_planes", lambda url, *parts: write_planes(url, parts[0]))
        store_planes(image, plane.block, *values(plane.block, seed=1))
    assert image.read(plane) is None


def test_labels_of_a_cut_plane_are_replaced_all_or_none(
    folder: Path, level: Level, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(creation, "LONGEST_CHUNK", 10)
    image = create_output(str(folder), level)
    plane = Plane(0, 0, 0)
    pixels, labels = values(plane.block)
    store_planes(image, plane.block, pixels, labels)
    with monkeypatch.context() as patch:  # the writer is killed before the labels
        patch.setattr(writing, "write_planes", lambda *_: None)
        store_planes(image, plane.block, pixels, labels + 1)
    assert image.read(plane) is None


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


def test_labels_that_cannot_be_removed_are_named(image: OutputImage, folder: Path) -> None:
    store_planes(image, Plane(0, 0, 0).block, *values(Plane(0, 0, 0).block))
    chunk = folder / image.label_keys(Plane(0, 0, 0), image.name)[0]
    chunk.unlink()
    chunk.mkdir()  # which no process can remove as a file, root neither
    with pytest.raises(ImageError, match=r"cannot be written \(Is a directory\).* or correct the rights"):
        remove_labels(image, Plane(0, 0, 0).block)
