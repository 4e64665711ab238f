"""The output image: its layout on disk, and what is read of it."""

import shutil
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr

from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.output import output_image, thin_planes
from idr_assets.imaging.output.output_image import OutputImage, open_output
from idr_assets.imaging.output.thin_planes import read_thin_grid
from idr_assets.imaging.output.writing import store_planes
from idr_assets.imaging.planes import Block, Plane, count_objects
from idr_assets.imaging.reading.documents import DOCUMENTS
from idr_assets_tests.support.damage import chunk_of, flip_bit
from idr_assets_tests.support.outputs import ARRAYS, SHAPE, plane_keys, values
from idr_assets_tests.support.stored_files import files


def chunks(folder: Path) -> set[str]:
    return {name for name in files(folder) if name.rpartition("/")[2] not in DOCUMENTS}


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


def test_large_planes_of_a_figure_are_read_every_few_pixels_with_all_objects(
    image: OutputImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    block, indices = Block(range(2), (1, 0), range(2)), ((0, 1), (0, 1), (1, 2))
    pixels, labels = values(block)
    labels[..., 1, 1] = 99  # an object between the pixels that are read
    store_planes(image, block, pixels, labels)
    whole = image.read_grid(*indices, 0)
    assert read_thin_grid(image, indices, 0, 5)[1] == 1  # not large
    monkeypatch.setattr(output_image, "MOST_PIXELS", 500)
    monkeypatch.setattr(thin_planes, "_BAND", 100)
    grid, step = read_thin_grid(image, indices, 0, 5)
    assert (step, list(grid)) == (3, list(whole))
    for plane, thin in zip(whole.values(), grid.values(), strict=True):
        if plane is None or thin is None:
            assert plane is thin
            continue
        np.testing.assert_array_equal(thin.pixels, plane.pixels[::3, ::3])
        np.testing.assert_array_equal(thin.labels, plane.labels[::3, ::3])
        assert thin.count == count_objects(plane.labels) > count_objects(thin.labels)
    assert sum(plane is None for plane in grid.values()) == 4


def test_an_empty_plane_differs_from_one_that_is_not_stored(image: OutputImage) -> None:
    shape = (1, 1, 1, *SHAPE[3:])
    store_planes(image, Block(range(1, 2), (0,), range(1, 2)), np.zeros(shape, np.uint16), np.zeros(shape, np.int32))
    empty = image.read(Plane(1, 0, 1))
    assert empty is not None
    assert not empty.pixels.any()
    assert not empty.labels.any()
    assert empty.labels.dtype == np.int32
    assert [image.read(Plane(*where)) for where in ((1, 0, 2), (1, 1, 1), (0, 0, 1))] == [None] * 3


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
    with pytest.raises(ImageError, match=r"t 0 c 0 z 0 is damaged in .*(checksum|decompressing).* Make it again: `"):
        read(image)


def test_an_output_that_is_not_there_names_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(ImageError) as error:
        open_output(str(tmp_path / "none"))
    assert str(error.value) == (
        f"No output at {tmp_path / 'none'}/labels/segmentation: nothing was segmented yet. Materialize planes first: "
        "`idr-assets resume IMAGE`."
    )


def test_an_output_whose_pixels_were_removed_is_incomplete_and_not_absent(tmp_path: Path, image: OutputImage) -> None:
    shutil.copytree(image.url, url := str(tmp_path / "cells.ome.zarr"))
    shutil.rmtree(f"{url}/0")
    with pytest.raises(ImageError, match=r"cells\.ome\.zarr is incomplete: .*: `idr-assets resume cells`\."):
        open_output(url)
