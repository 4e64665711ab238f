"""The output image: its layout on disk, and that no write touches what is not its own."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import yaozarrs

from idr_assets.imaging.label_image import LabelImage, create_label_image, open_label_image
from idr_assets.imaging.planes import Block, Plane
from idr_assets.imaging.provenance import add_provenance, read_provenance
from idr_assets.imaging.source import Level, open_level
from idr_assets_tests.idr_stores import write_image

SHAPE = (3, 2, 4, 20, 30)
PROVENANCE = {"source": {"level": "0"}, "versions": {"zarr": "3"}}
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


@pytest.fixture
def image(folder: Path, level: Level) -> LabelImage:
    """Make the output."""
    return create_label_image(str(folder), level)


def files(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def chunks(folder: Path) -> set[str]:
    return {name for name in files(folder) if not name.endswith("zarr.json")}


def values(block: Block, seed: int = 0) -> tuple[npt.NDArray[np.uint16], npt.NDArray[np.int32]]:
    """Make random pixels and labels for a block."""
    random = np.random.default_rng(seed)
    shape = (len(block.t), len(block.c), len(block.z), *SHAPE[3:])
    return random.integers(0, 2**16, shape, np.uint16), random.integers(0, 9, shape, np.int32)


def stored(folder: Path, array: str) -> dict[str, Any]:
    metadata: dict[str, Any] = json.loads((folder / array / "zarr.json").read_text())
    return metadata


def test_layout_is_one_plane_a_chunk_with_checksums(image: LabelImage, folder: Path) -> None:
    assert (image.pixels.shape, image.labels.shape, image.plane_chunks) == (SHAPE, SHAPE, (20, 30))
    for array, dtype in zip(ARRAYS, ("uint16", "int32"), strict=True):
        metadata = stored(folder, array)
        assert (metadata["zarr_format"], metadata["data_type"], metadata["fill_value"]) == (3, dtype, 0)
        assert metadata["chunk_grid"]["configuration"]["chunk_shape"] == [1, 1, 1, 20, 30]
        assert metadata["dimension_names"] == list("tczyx")
        assert [codec["name"] for codec in metadata["codecs"]] == ["bytes", "zstd", "crc32c"]
    assert chunks(folder) == set()


def test_metadata_is_ome_zarr_0_5(image: LabelImage, folder: Path) -> None:
    image.write(Block(range(1), (0,), range(1)), *values(Block(range(1), (0,), range(1))))
    yaozarrs.validate_zarr_store(folder)
    (multiscale,) = stored(folder, "")["attributes"]["ome"]["multiscales"]
    assert multiscale["name"] == "source.zarr"
    assert [axis.get("unit") for axis in multiscale["axes"]] == ["second", None] + ["micrometer"] * 3
    assert multiscale["datasets"][0]["coordinateTransformations"] == [{"type": "scale", "scale": [30, 1, 2, 0.4, 0.4]}]
    labels = stored(folder, "labels/segmentation")["attributes"]
    assert stored(folder, "labels")["attributes"]["ome"]["labels"] == ["segmentation"]
    assert labels["ome"]["image-label"]["source"] == {"image": "../../"}
    assert open_level(str(folder), "0").geometry.pixel_size == pytest.approx(0.4)


def test_a_block_of_channels_is_read_back_plane_by_plane(image: LabelImage, folder: Path) -> None:
    block = Block(range(1, 3), (1, 0), range(2, 4))
    pixels, labels = values(block)
    image.write(block, pixels, labels)
    for index, plane in enumerate(block.planes()):
        labelled = open_label_image(str(folder)).read(plane)
        assert labelled is not None
        assert (labelled.t, labelled.c, labelled.z) == (plane.t, plane.c, plane.z)
        np.testing.assert_array_equal(labelled.pixels, pixels.reshape(-1, 20, 30)[index])
        np.testing.assert_array_equal(labelled.labels, labels.reshape(-1, 20, 30)[index])
    assert chunks(folder) == {f"{array}/c/{t}/{c}/{z}/0/0" for array in ARRAYS for t, c, z in (
        (plane.t, plane.c, plane.z) for plane in block.planes())}  # fmt: skip


def test_an_empty_plane_differs_from_one_that_is_not_stored(image: LabelImage) -> None:
    shape = (1, 1, 1, *SHAPE[3:])
    image.write(Block(range(1, 2), (0,), range(1, 2)), np.zeros(shape, np.uint16), np.zeros(shape, np.int32))
    empty = image.read(Plane(1, 0, 1))
    assert empty is not None
    assert not empty.pixels.any()
    assert not empty.labels.any()
    assert empty.labels.dtype == np.int32
    assert [image.read(Plane(*where)) for where in ((1, 0, 2), (1, 1, 1), (0, 0, 1))] == [None] * 3


def test_a_plane_whose_writing_was_interrupted_is_not_stored(image: LabelImage, folder: Path) -> None:
    block = Block(range(1), (0,), range(1))
    image.write(block, *values(block))
    (folder / "labels/segmentation/0/c/0/0/0/0/0").unlink()
    assert image.read(Plane(0, 0, 0)) is None


def test_a_spoilt_chunk_is_an_error(image: LabelImage, folder: Path) -> None:
    block = Block(range(1), (0,), range(1))
    image.write(block, *values(block))
    chunk = folder / "labels/segmentation/0/c/0/0/0/0/0"
    content = bytearray(chunk.read_bytes())
    content[len(content) // 2] ^= 1
    chunk.write_bytes(content)
    with pytest.raises(ValueError, match="checksum"):
        image.read(Plane(0, 0, 0))


def test_writing_a_block_leaves_every_other_file_alone(image: LabelImage, folder: Path) -> None:
    everything = Block(range(3), (0, 1), range(4))
    image.write(everything, *values(everything))
    before = files(folder)
    block = Block(range(1, 2), (1,), range(2, 4))
    image.write(block, *values(block, seed=1))
    after = files(folder)
    changed = {name for name in after if after[name] != before.get(name)}
    assert after.keys() == before.keys()
    assert changed == {f"{array}/c/1/1/{z}/0/0" for array in ARRAYS for z in (2, 3)}


def test_creating_again_changes_nothing(image: LabelImage, folder: Path, level: Level) -> None:
    block = Block(range(1), (0,), range(1))
    image.write(block, *values(block))
    before = files(folder)
    create_label_image(str(folder), level)
    assert files(folder) == before


@pytest.mark.usefixtures("image")
def test_provenance_is_noted_once_for_each_way(folder: Path) -> None:
    before = files(folder)
    other = PROVENANCE | {"versions": {"zarr": "4"}}
    assert read_provenance(str(folder)) == []
    for provenance in (PROVENANCE, other, PROVENANCE):
        add_provenance(str(folder), provenance)
    after = files(folder)
    assert sorted(read_provenance(str(folder)), key=str) == [PROVENANCE, other]
    assert before.items() <= after.items()
    assert len(after) == len(before) + 3  # a document for each way, and the group of both
    yaozarrs.validate_zarr_store(folder)
