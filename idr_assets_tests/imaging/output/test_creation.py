"""Making the output: once, whoever comes first, and wherever it lies."""

import json
from dataclasses import replace
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaozarrs
import zarr

from idr_assets.imaging.channels import Channel
from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.ome_zarr.formats import FORMATS, Version
from idr_assets.imaging.output import creation
from idr_assets.imaging.output.creation import create_output
from idr_assets.imaging.output.nodes import list_label_groups
from idr_assets.imaging.output.output_image import OutputImage, open_output
from idr_assets.imaging.output.writing import store_planes
from idr_assets.imaging.planes import Block, Plane
from idr_assets.imaging.reading.level import Level, open_level
from idr_assets_tests.support.forked import FORKED, exit_codes, fork
from idr_assets_tests.support.idr_stores import edit_metadata, write_image
from idr_assets_tests.support.outputs import DOCUMENTS, kill_creation, values
from idr_assets_tests.support.stored_files import files

PLANE = Plane(1, 0, 2).block


KILLED = [(version, done) for version, documents in DOCUMENTS.items() for done in range(len(documents))]


def elsewhere(level: Level) -> Level:
    """Give the level as its image described it formerly."""
    units = (None, None, *["nanometer"] * 3)
    former = replace(level.geometry, scale=(1, 1, 2, 0.2, 0.2), translation=(0, 0, 5, 0, 0), units=units)
    return replace(level, geometry=former)


def create_and_write(folders: list[Path], level: Level, t: int, ready: Barrier) -> None:
    """Create each output at the same moment as the other process, then write the planes of one timepoint.

    After half of them, each process has a label group of its own. The formats take turns.
    """
    block = Block(range(t, t + 1), (0,), range(3))
    pixels = level.read(block)
    for number, folder in enumerate(folders):
        name = "segmentation" if number < len(folders) / 2 else f"t{t}"
        ready.wait(60)
        version: Version = "0.4" if number % 2 else "0.5"
        store_planes(create_output(str(folder), level, name, version=version), block, pixels, pixels.astype(np.int32))


def test_two_processes_create_at_once(tmp_path: Path, level: Level) -> None:
    ready, folders = FORKED.Barrier(2), [tmp_path / f"{number}.ome.zarr" for number in range(16)]
    for folder, version in zip(folders[2:4], FORMATS, strict=True):
        create_output(str(folder), elsewhere(level), version=version)  # which both put where the level lies
    assert exit_codes(*[fork(create_and_write, folders, level, t, ready) for t in range(2)]) == [0, 0]
    for first in (0, 1, 8, 9):
        assert all(files(folder) == files(folders[first]) for folder in folders[first : first + 8 : 2])
        yaozarrs.validate_zarr_store(folders[first])
    assert [list_label_groups(str(folder)) for folder in folders[8:10]] == [["t0", "t1"]] * 2
    assert json.loads((folders[8] / "labels/zarr.json").read_text())["attributes"]["ome"]["labels"] == ["t0", "t1"]
    assert json.loads((folders[9] / "labels/.zattrs").read_text())["labels"] == ["t0", "t1"]
    for folder in folders[:2]:
        written = level.read(Block(range(2), (0,), range(3)))
        np.testing.assert_array_equal(open_output(str(folder)).labels[:2, :1, :3], written)


@pytest.mark.parametrize(("version", "done"), KILLED)
def test_a_killed_creation_is_completed_by_the_next(folder: Path, level: Level, version: Version, done: int) -> None:
    create_output(str(folder), level, version=version)
    whole = files(folder)
    kill_creation(folder, version, done)
    with pytest.raises(ImageError, match=r"No output at|is incomplete: it lacks"):
        open_output(str(folder))
    create_output(str(folder), level, version=version)
    assert files(folder) == whole
    assert whole.keys() == set(DOCUMENTS[version])


def test_creating_again_changes_nothing(image: OutputImage, folder: Path, level: Level) -> None:
    block = Block(range(1), (0,), range(1))
    store_planes(image, block, *values(block))
    before = files(folder)
    create_output(str(folder), level, version=image.format.version)
    assert files(folder) == before


@pytest.mark.parametrize("version", FORMATS)
def test_an_output_follows_the_level_where_it_lies_and_keeps_all_else(
    tmp_path: Path, level: Level, version: Version
) -> None:
    folder, names, former, pixels = (
        tmp_path / "output.ome.zarr",
        ["low", "high", "mine"],
        elsewhere(level),
        level.read(PLANE),
    )
    for name in names:
        store_planes(create_output(str(folder), former, name, version=version), PLANE, pixels, pixels.astype(np.int32))
    del zarr.open_group(folder, path="labels/mine").attrs["idr_assets"]  # as labels of another tool
    zarr.open_group(folder).attrs["omero"] = {"channels": []}
    before = files(folder)
    create_output(str(folder), level, "low", version=version)
    places = [str(folder), *(f"{folder}/labels/{name}" for name in names)]
    assert [open_level(place, "0").geometry for place in places] == [level.geometry] * 3 + [former.geometry]
    changed = {name for name, content in files(folder).items() if before.get(name) != content}
    assert changed == {f"{group}{FORMATS[version].attributes}" for group in ("", "labels/low/", "labels/high/")}
    kept = zarr.open_group(folder).attrs
    assert (kept["omero"], kept["idr_assets"]) == ({"channels": []}, {"level": "0"})
    yaozarrs.validate_zarr_store(folder)


def test_an_output_has_the_channels_of_its_level_and_is_written_for_new_ones_alone(folder: Path, level: Level) -> None:
    channels = (Channel("DAPI", "0000FF"), Channel("GFP"))
    named = replace(level, geometry=replace(level.geometry, channels=channels))
    shown = tuple(replace(each, contrast=(10.0, 200.0)) for each in channels)
    brighter = replace(level, geometry=replace(level.geometry, channels=shown))
    for wanted in (level, named, brighter, named, brighter, level):
        create_output(str(folder), wanted)
        assert open_level(str(folder), "0").geometry.channels == wanted.geometry.channels
        ome: Any = zarr.open_group(folder).attrs["ome"]
        listed = ome.get("omero", {"channels": []})["channels"]
        window = {"min": 0.0, "max": 65535.0, "start": 10.0, "end": 200.0}
        assert [(it["label"], it["color"], it["window"]) for it in listed] == (
            [("DAPI", "0000FF", window), ("GFP", "FF00FF", window)] if wanted is brighter else []
        )
        before = files(folder)
        create_output(str(folder), wanted)
        assert files(folder) == before


@pytest.mark.parametrize("version", FORMATS)
def test_sizes_that_are_none_leave_the_output_valid(tmp_path: Path, level: Level, version: Version) -> None:
    source, folder = tmp_path / "source.zarr", tmp_path / "output.ome.zarr"
    create_output(str(folder), level, version=version)
    for size in (float("nan"), float("inf"), -0.4, 0):
        scale = [{"type": "scale", "scale": [30, 1, 2, size, size]}]
        edit_metadata(source / ".zattrs", datasets=[{"path": "0", "coordinateTransformations": scale}])
        create_output(str(folder), open_level(str(source), "0"), version=version)
        for content in [content for name, content in files(folder).items() if name in DOCUMENTS[version]]:
            json.loads(content, parse_constant=pytest.fail)
        yaozarrs.validate_zarr_store(folder)
        assert open_level(str(folder), "0").geometry.pixel_size is None


def test_big_planes_are_cut_and_read_whole(tmp_path: Path, level: Level, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(creation, "LONGEST_CHUNK", 16)
    image = create_output(str(tmp_path / "output.ome.zarr"), level)
    pixels = level.read(PLANE)
    store_planes(image, PLANE, pixels, pixels.astype(np.int32))
    assert image.plane_chunks == (16, 16)
    assert {name for name in files(tmp_path / "output.ome.zarr/0") if name != "zarr.json"} == {
        f"c/1/0/2/{y}/{x}" for y in (0, 1) for x in (0, 1)
    }
    labelled = image.read(Plane(1, 0, 2))
    assert labelled is not None
    np.testing.assert_array_equal(labelled.labels, pixels[0, 0, 0])
    (tmp_path / "output.ome.zarr/labels/segmentation/0/c/1/0/2/1/1").unlink()
    assert image.read(Plane(1, 0, 2)) is None


def test_planes_are_cut_above_four_megapixels(tmp_path: Path) -> None:
    write_image(tmp_path / "large.zarr", np.zeros((2048, 2100), "u1"), version="0.4", axes="yx")
    image = create_output(str(tmp_path / "a"), open_level(str(tmp_path / "large.zarr"), "0"))
    assert image.plane_chunks == (2048, 2048)


@pytest.mark.parametrize("version", FORMATS)
@pytest.mark.parametrize("place", ["memory://outputs/", "file://"])
def test_an_output_may_lie_wherever_fsspec_writes(tmp_path: Path, level: Level, place: str, version: Version) -> None:
    url = f"{place}{tmp_path}/output.ome.zarr"
    pixels = level.read(PLANE)
    store_planes(create_output(url, level, version=version), PLANE, pixels, pixels.astype(np.int32))
    labelled = open_output(url).read(Plane(1, 0, 2))
    assert labelled is not None
    np.testing.assert_array_equal(labelled.labels, pixels[0, 0, 0])
