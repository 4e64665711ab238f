"""Outputs of an image that grows in T or Z: all arrays become as long, planes that are stored stay."""

from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaozarrs
import zarr

from idr_assets.imaging.ome_zarr.formats import FORMATS, Version
from idr_assets.imaging.output.creation import create_output
from idr_assets.imaging.output.growth import MOST_COMPARED, are_unchanged, grow_array
from idr_assets.imaging.output.origins import Origins, create_origins, find_origins
from idr_assets.imaging.output.output_image import OutputImage, open_output
from idr_assets.imaging.output.read_back import count_stored_objects
from idr_assets.imaging.output.writing import store_planes
from idr_assets.imaging.planes import Block, Plane
from idr_assets.imaging.reading.level import Level, open_level
from idr_assets_tests.support.forked import FORKED, exit_codes, fork
from idr_assets_tests.support.idr_stores import write_image
from idr_assets_tests.support.stored_files import files

PIXELS = np.random.default_rng(0).integers(0, 2**16, (3, 1, 5, 20, 30), np.uint16)
SHORT, LONGER, DEEPER = (2, 1, 3, 20, 30), (3, 1, 3, 20, 30), (2, 1, 5, 20, 30)
ARRAYS = ["0", "labels/low/0", "labels/high/0", "origins"]
PLANE = Block(range(1, 2), (0,), range(2, 3))


def level_of(folder: Path, shape: tuple[int, ...]) -> Level:
    """Give the image with so many of its pixels, as a store that grew up to here has it."""
    source = folder / f"{shape[0]} {shape[2]}.zarr"
    if not source.exists():
        write_image(source, PIXELS[tuple(map(slice, shape))], version="0.4")
    return open_level(str(source), "0")


def segmented(folder: Path, version: Version) -> OutputImage:
    """Store a plane of the short image, with its origin, and labels of it in three groups, of which one is foreign."""
    level = level_of(folder, SHORT)
    pixels = level.read(PLANE)
    for name in ("low", "foreign", "high"):
        output = create_output(str(folder / "output"), level, name, version=version)
        store_planes(output, PLANE, pixels, pixels.astype(np.int32))
    del zarr.open_group(folder / "output", path="labels/foreign").attrs["idr_assets"]
    origins = create_origins(output, level, "state", reuse=True)
    assert origins
    origins.note(PLANE, [*origins.compute(PLANE, pixels)])
    return output


def shapes(folder: Path) -> dict[str, tuple[int, ...]]:
    arrays = [*ARRAYS, "labels/foreign/0"]
    return {name: zarr.open_array(folder / "output" / name, mode="r").shape[:3] for name in arrays}


def grown(folder: Path, level: Level, version: Version) -> tuple[OutputImage, Origins | None]:
    output = create_output(str(folder / "output"), level, "low", version=version)
    return output, create_origins(output, level, "state", reuse=True)


@pytest.mark.parametrize("shape", [LONGER, DEEPER, PIXELS.shape])
@pytest.mark.parametrize("version", FORMATS)
def test_arrays_grow_with_the_image_and_what_is_stored_stays(
    tmp_path: Path, version: Version, shape: tuple[int, ...]
) -> None:
    segmented(tmp_path, version)
    before, level = files(tmp_path / "output"), level_of(tmp_path, shape)
    assert find_origins(str(tmp_path / "output"), level, "state", reuse=True) is None
    output, origins = grown(tmp_path, level, version)
    assert shapes(tmp_path) == dict.fromkeys(ARRAYS, shape[:3]) | {"labels/foreign/0": SHORT[:3]}
    after = files(tmp_path / "output")
    assert {name for name in after if before.get(name) != after[name]} == {
        f"{array}/{'zarr.json' if version == '0.5' else '.zarray'}" for array in ARRAYS
    }
    yaozarrs.validate_zarr_store(tmp_path / "output")
    assert origins
    assert origins.holds(PLANE)
    last = Plane(shape[0] - 1, 0, shape[2] - 1)
    assert output.read(last) is None
    pixels = level.read(last.block)
    store_planes(output, last.block, pixels, pixels.astype(np.int32))
    origins.note(last.block, [*origins.compute(last.block, pixels)])
    for plane, name in ((last, "low"), (PLANE.planes()[0], "low"), (PLANE.planes()[0], "high")):
        labelled = open_output(str(tmp_path / "output"), name).read(plane)
        assert labelled
        np.testing.assert_array_equal(labelled.labels, level.read(plane.block)[0, 0, 0])
    assert all(origins.holds(block) for block in (PLANE, last.block))


@pytest.mark.parametrize("done", range(len(ARRAYS)))
def test_a_growth_that_was_killed_is_completed_by_the_next(tmp_path: Path, done: int) -> None:
    segmented(tmp_path, "0.5")
    level = level_of(tmp_path, PIXELS.shape)
    for name in ARRAYS[:done]:
        array: Any = zarr.open_array(tmp_path / "output" / name)
        array.resize((*PIXELS.shape[:3], *array.shape[3:]))
    _, origins = grown(tmp_path, level, "0.5")
    assert origins
    assert {shape for name, shape in shapes(tmp_path).items() if name in ARRAYS} == {PIXELS.shape[:3]}


def test_planes_for_which_there_is_no_place_yet_are_not_stored(tmp_path: Path) -> None:
    output = segmented(tmp_path, "0.5")
    output.pixels.resize(PIXELS.shape)  # as another process does first
    for plane in (Plane(2, 0, 2), Plane(1, 0, 3), Plane(0, 0, 0)):
        assert (output.read(plane), count_stored_objects(output, plane)) == (None, None)
    stored = {where: labelled is not None for where, labelled in output.read_grid([1, 2], [0], [2]).items()}
    assert stored == {(1, 0, 2): True, (2, 0, 2): False}


def test_an_array_is_never_shortened(tmp_path: Path) -> None:
    segmented(tmp_path, "0.5")
    grow_array(str(tmp_path / "output"), "0", LONGER)
    grow_array(str(tmp_path / "output"), "0", SHORT)
    assert shapes(tmp_path)["0"] == LONGER[:3]
    grow_array(str(tmp_path / "output"), "0", DEEPER)
    assert shapes(tmp_path)["0"] == PIXELS.shape[:3]


def grow_by_steps(folder: Path, ready: Barrier, lengths: range) -> None:
    """Lengthen an array at the same moments as another process, which has a length more or less by one."""
    for length in lengths:
        ready.wait(60)
        grow_array(str(folder), "0", (length, *SHORT[1:]))
        ready.wait(60)
        assert zarr.open_array(folder / "0", mode="r").shape[0] == length | 1


def test_of_processes_that_grow_it_at_once_the_longest_wins(tmp_path: Path) -> None:
    segmented(tmp_path, "0.5")
    ready, folder = FORKED.Barrier(2), tmp_path / "output"
    lengths = range(4, 204, 2), range(5, 205, 2)
    assert exit_codes(*[fork(grow_by_steps, folder, ready, each) for each in lengths]) == [0, 0]
    assert not list(folder.rglob("*.partial"))


FLAT = np.full((20, 30), 7, np.uint16)
CHANGES: dict[str, tuple[dict[int, Any], bool]] = {
    "no plane": ({}, True),
    "a plane": ({4: PIXELS[0, 0, 0] + 1}, False),
    "a flat plane": ({4: FLAT}, False),
    "a chunk that is gone": ({4: None}, True),
    "all chunks are gone": (dict.fromkeys(range(6)), False),
}


@pytest.mark.parametrize(("changes", "unchanged"), CHANGES.values(), ids=CHANGES)
def test_an_image_is_unchanged_if_the_planes_that_can_be_read_are(
    tmp_path: Path, changes: dict[int, Any], *, unchanged: bool
) -> None:
    level = level_of(tmp_path, SHORT)
    output = create_output(str(tmp_path / "output"), level)
    whole = Block(range(2), (0,), range(3))
    store_planes(output, whole, PIXELS[:2, :, :3], PIXELS[:2, :, :3].astype(np.int32))
    source, planes = zarr.open_array(tmp_path / "2 3.zarr/0"), whole.planes()
    assert len(planes) < MOST_COMPARED
    for number, pixels in changes.items():
        plane = planes[number]
        if pixels is None:
            (tmp_path / f"2 3.zarr/0/{plane.t}/0/{plane.z}/0/0").unlink()
        else:
            source[plane.t, 0, plane.z] = pixels
    assert are_unchanged(output.url, level, planes) is unchanged


def test_planes_of_one_value_do_not_prove_that_an_image_is_unchanged(tmp_path: Path) -> None:
    write_image(tmp_path / "flat.zarr", np.broadcast_to(FLAT, SHORT), version="0.4")
    level = open_level(str(tmp_path / "flat.zarr"), "0")
    output = create_output(str(tmp_path / "output"), level)
    store_planes(output, PLANE, FLAT[None, None, None], FLAT[None, None, None].astype(np.int32))
    assert not are_unchanged(output.url, level, PLANE.planes())
    assert not are_unchanged(output.url, level, [])
