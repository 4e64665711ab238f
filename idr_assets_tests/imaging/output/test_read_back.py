"""Reading planes back: whatever a store makes of them, only what was written counts as stored."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr

from idr_assets.imaging.ome_zarr.formats import FORMATS
from idr_assets.imaging.output import creation
from idr_assets.imaging.output.creation import create_output
from idr_assets.imaging.output.output_image import OutputImage
from idr_assets.imaging.output.plane_files import hold_bodies
from idr_assets.imaging.output.read_back import (
    NotAsWrittenError,
    check_written,
    count_stored_objects,
    prove_written,
    read_checksums,
)
from idr_assets.imaging.output.writing import store_planes
from idr_assets.imaging.planes import Block, Plane
from idr_assets.imaging.reading.level import open_level
from idr_assets_tests.support.damage import chunk_of, flip_bit
from idr_assets_tests.support.idr_stores import write_image

BLOCK = Block(range(2), (1, 0), range(1, 3))
WRONG = Plane(1, 0, 2)
PIXELS = np.random.default_rng(0).random((2, 2, 2, 6, 8)).astype(">f4")
PIXELS[0, 0, 0, 0, 0] = np.nan
LABELS = np.random.default_rng(1).integers(0, 5, PIXELS.shape, np.int32)

DAMAGE = ".*(checksum|while decompressing)"


@pytest.fixture(params=FORMATS)
def output(tmp_path: Path, request: pytest.FixtureRequest) -> OutputImage:
    """Write a block of four planes of two channels each, in both formats."""
    write_image(tmp_path / "source.zarr", np.zeros((2, 2, 3, 6, 8), ">f4"), version="0.4")
    level = open_level(str(tmp_path / "source.zarr"), "0")
    output = create_output(str(tmp_path / "output"), level, version=request.param)
    store_planes(output, BLOCK, PIXELS, LABELS)
    return output


def cut(output: OutputImage) -> None:
    with chunk_of(output, WRONG).open("r+b") as file:
        file.truncate(1)


def empty(output: OutputImage) -> None:
    chunk_of(output, WRONG).open("wb").close()


def another_label(output: OutputImage) -> None:
    output.labels[1, 0, 2, 3, 3] = 7


FAULTS: dict[str, tuple[Callable[[OutputImage], None], str]] = {
    "damaged labels": (lambda it: flip_bit(chunk_of(it, WRONG)), rf"labels cannot be read back \({DAMAGE}"),
    "damaged pixels": (lambda it: flip_bit(chunk_of(it, WRONG, "pixels")), rf"pixels cannot be read back \({DAMAGE}"),
    "lost labels": (lambda it: chunk_of(it, WRONG).unlink(), r"labels cannot be read back \(.*not found"),
    "cut labels": (cut, "labels cannot be read back"),
    "empty labels": (empty, "labels cannot be read back"),
    "other labels": (another_label, "labels come back different"),
}


def test_what_was_written_is_accepted_whatever_its_byte_order_and_channels(output: OutputImage) -> None:
    check_written(output, BLOCK, PIXELS, LABELS)


def test_files_hold_the_bytes_that_zarr_writes(tmp_path: Path, output: OutputImage) -> None:
    write_image(tmp_path / "other.zarr", np.zeros((2, 2, 3, 6, 8), ">f4"), version="0.4")
    level = open_level(str(tmp_path / "other.zarr"), "0")
    other = create_output(str(tmp_path / "other"), level, version=output.format.version)
    for array, values in ((output.pixels, PIXELS), (output.labels, LABELS)):
        for index, c in enumerate(BLOCK.c):
            array[:2, c, 1:3] = values[:, index]
    bodies = store_planes(other, BLOCK, PIXELS, LABELS)
    keys = [key for plane in BLOCK.planes() for key in output.chunk_keys(plane)]
    assert set(bodies) == set(keys)
    assert hold_bodies(output.pixels, bodies, keys)
    assert prove_written(output, BLOCK, PIXELS, LABELS, bodies) == read_checksums(output, BLOCK.planes())
    assert not hold_bodies(output.pixels, bodies | {keys[-1]: b"other"}, keys)


def test_the_same_values_in_other_bytes_are_accepted(output: OutputImage) -> None:
    bodies = {key: b"other" for plane in BLOCK.planes() for key in output.chunk_keys(plane)}
    assert prove_written(output, BLOCK, PIXELS, LABELS, bodies) == read_checksums(output, BLOCK.planes())


@pytest.mark.parametrize("fault", FAULTS)
def test_what_was_not_is_refused(output: OutputImage, fault: str) -> None:
    plant, message = FAULTS[fault]
    bodies = store_planes(output, BLOCK, PIXELS, LABELS) | store_planes(output, BLOCK, PIXELS + 1, LABELS)
    bodies |= store_planes(output, BLOCK, PIXELS, LABELS)
    plant(output)
    with pytest.raises(NotAsWrittenError, match=message) as error:
        prove_written(output, BLOCK, PIXELS, LABELS, bodies)
    assert str(error.value).startswith("t 0 c 1 z 1 to t 1 c 0 z 2 was written to ")
    assert "it does not count as stored. Check the disk" in str(error.value)


def test_labels_that_are_stored_as_fractions_are_refused(output: OutputImage) -> None:
    shape = output.labels.shape
    layout: dict[str, Any] = {"dtype": "float32", "chunks": (1, 1, 1, 6, 8), "fill_value": 0}
    spoilt = replace(output, labels=zarr.create_array(output.labels.store, name="fractions", shape=shape, **layout))
    bodies = store_planes(spoilt, BLOCK, PIXELS, LABELS)
    with pytest.raises(NotAsWrittenError, match="labels come back different"):
        prove_written(spoilt, BLOCK, PIXELS, LABELS, bodies)


def test_one_plane_is_named_by_itself(output: OutputImage) -> None:
    flip_bit(chunk_of(output, WRONG))
    single = Block(range(1, 2), (0,), range(2, 3))
    with pytest.raises(NotAsWrittenError, match=r"^t 1 c 0 z 2 was written to file://"):
        check_written(output, single, PIXELS[1:, 1:, 1:], LABELS[1:, 1:, 1:])


def test_a_plane_of_other_content_has_another_mark(output: OutputImage) -> None:
    before = dict(zip(BLOCK.planes(), read_checksums(output, BLOCK.planes()), strict=True))
    store_planes(output, BLOCK, PIXELS, LABELS)
    assert read_checksums(output, list(before)) == list(before.values())
    assert None not in before.values()
    another_label(output)
    output.pixels[0, 1, 1, 0, 1] = 2.0
    after = dict(zip(before, read_checksums(output, before), strict=True))
    assert [plane for plane in before if after[plane] != before[plane]] == [Plane(0, 1, 1), WRONG]


def test_an_object_that_is_reshaped_about_its_centre_has_another_mark(output: OutputImage) -> None:
    shapes = np.zeros((2, 6, 8), np.int32)
    shapes[0, 2:4, 1:5] = shapes[1, 1:5, 2:4] = 1  # of one sum, also when weighted by place: an Adler-32 stays the same
    marked = []
    for labels in shapes:
        output.labels[WRONG.t, WRONG.c, WRONG.z] = labels
        marked += read_checksums(output, [WRONG])
    assert len(set(marked)) == 2


def test_a_plane_that_is_cut_has_a_mark_of_all_its_chunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(creation, "LONGEST_CHUNK", 4)
    write_image(tmp_path / "source.zarr", np.zeros((2, 2, 3, 6, 8), ">f4"), version="0.4")
    output = create_output(str(tmp_path / "output"), open_level(str(tmp_path / "source.zarr"), "0"))
    store_planes(output, BLOCK, PIXELS, LABELS)
    before = read_checksums(output, [WRONG])
    output.labels[1, 0, 2, 5, 7] = 9
    assert len(set(before + read_checksums(output, [WRONG]))) == 2
    chunk_of(output, WRONG).unlink()
    assert read_checksums(output, [WRONG]) == [None]


def test_objects_of_a_stored_plane_are_counted(output: OutputImage) -> None:
    assert count_stored_objects(output, WRONG) == LABELS[1, 1, 1].max()


@pytest.mark.parametrize("plane", [Plane(0, 0, 0), Plane(-1, 0, 2), Plane(0, 0, -1), Plane(2, 0, 1), Plane(0, 0, 3)])
def test_a_plane_that_is_not_stored_or_outside_has_no_count(output: OutputImage, plane: Plane) -> None:
    assert count_stored_objects(output, plane) is None


def test_a_damaged_plane_has_no_count(output: OutputImage) -> None:
    flip_bit(chunk_of(output, WRONG))
    assert count_stored_objects(output, WRONG) is None
