"""Making the output: once, whoever comes first, wherever it lies, and never over another one."""

import json
import shutil
from dataclasses import replace
from itertools import permutations
from multiprocessing.synchronize import Barrier
from pathlib import Path

import numpy as np
import pytest
import yaozarrs
import zarr

from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.ome_zarr.formats import FORMATS, Version
from idr_assets.imaging.output import creation
from idr_assets.imaging.output.creation import create_array, create_output
from idr_assets.imaging.output.nodes import list_label_groups
from idr_assets.imaging.output.output_image import open_output
from idr_assets.imaging.output.writing import store_planes
from idr_assets.imaging.planes import Block, Plane
from idr_assets.imaging.reading.level import Level, open_level
from idr_assets_tests.imaging.reading.test_source_metadata import edit
from idr_assets_tests.support.forked import FORKED, exit_codes, fork
from idr_assets_tests.support.idr_stores import write_image
from idr_assets_tests.support.stored_files import files

SHAPE = (2, 1, 3, 20, 30)
GROUPS, ARRAYS = ("", "labels/", "labels/segmentation/"), ("0/", "labels/segmentation/0/")
DOCUMENTS: dict[Version, list[str]] = {
    "0.5": [f"{folder}zarr.json" for folder in GROUPS + ARRAYS],
    "0.4": [f"{folder}{name}" for folder in GROUPS for name in (".zattrs", ".zgroup")]
    + [f"{folder}{name}" for folder in ARRAYS for name in (".zattrs", ".zarray")],
}
"""Of each version of OME-Zarr, in the order in which they are written."""

KILLED = [(version, done) for version, documents in DOCUMENTS.items() for done in range(len(documents))]

PLANE = Block(range(1, 2), (0,), range(2, 3))


@pytest.fixture
def level(tmp_path: Path) -> Level:
    """Write and open a source whose pixels count up."""
    write_image(tmp_path / "source.zarr", np.arange(np.prod(SHAPE)).reshape(SHAPE).astype(">u2"), version="0.4")
    return open_level(str(tmp_path / "source.zarr"), "0")


def elsewhere(level: Level) -> Level:
    """Give the level as its image described it formerly."""
    units = (None, None, *["nanometer"] * 3)
    former = replace(level.geometry, scale=(1, 1, 2, 0.2, 0.2), translation=(0, 0, 5, 0, 0), units=units)
    return replace(level, geometry=former)


@pytest.mark.parametrize(
    ("path", "damage"),
    [("", "half of it"), ("0", "half of it"), ("0", "no node"), ("labels/segmentation/0", "no node")],
)
def test_a_damaged_document_is_named_and_nothing_is_written(
    level: Level, tmp_path: Path, path: str, damage: str
) -> None:
    output = tmp_path / "output.ome.zarr"
    create_output(str(output), level)
    document = output / path / "zarr.json"
    text = document.read_text()
    document.write_text(text[: len(text) // 2] if damage == "half of it" else '{"zarr_format": 3}')
    before = files(output)
    with pytest.raises(ImageError, match=rf"The metadata of {output / path} are damaged .*Restore"):
        create_output(str(output), level)
    assert files(output) == before


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
        np.testing.assert_array_equal(open_output(str(folder)).labels[...], level.lazy().compute())


@pytest.mark.parametrize(("version", "done"), KILLED)
def test_a_killed_creation_is_completed_by_the_next(tmp_path: Path, level: Level, version: Version, done: int) -> None:
    folder = tmp_path / "output.ome.zarr"
    create_output(str(folder), level, version=version)
    whole = files(folder)
    for document in DOCUMENTS[version][done:]:
        (folder / document).unlink()
    with pytest.raises(ImageError, match="No output at"):
        open_output(str(folder))
    create_output(str(folder), level, version=version)
    assert files(folder) == whole
    assert whole.keys() == set(DOCUMENTS[version])


@pytest.mark.parametrize(("stored", "wanted"), list(permutations(FORMATS)))
def test_an_output_of_another_format_is_refused_and_left_alone(
    tmp_path: Path, level: Level, stored: Version, wanted: Version
) -> None:
    folder = tmp_path / "output.ome.zarr"
    create_output(str(folder), level, version=stored)
    for document in DOCUMENTS[stored][2:]:
        (folder / document).unlink()  # as a killed creation leaves it
    before = files(folder)
    with pytest.raises(ImageError) as error:
        create_output(str(folder), level, version=wanted)
    assert files(folder) == before
    assert str(error.value) == (
        f"The output {folder} is OME-Zarr {stored}, but the YAML asks for {wanted}: files of both would mix, so "
        f'nothing was written. Write `format: "{stored}"` in the YAML, or rename the image, or move the output away '
        "and materialize all of its planes again."
    )


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


@pytest.mark.parametrize("version", FORMATS)
def test_sizes_that_are_none_leave_the_output_valid(tmp_path: Path, level: Level, version: Version) -> None:
    source, folder = tmp_path / "source.zarr", tmp_path / "output.ome.zarr"
    create_output(str(folder), level, version=version)
    for size in (float("nan"), float("inf"), -0.4, 0):
        scale = [{"type": "scale", "scale": [30, 1, 2, size, size]}]
        edit(source / ".zattrs", datasets=[{"path": "0", "coordinateTransformations": scale}])
        create_output(str(folder), open_level(str(source), "0"), version=version)
        for content in [content for name, content in files(folder).items() if name in DOCUMENTS[version]]:
            json.loads(content, parse_constant=pytest.fail)
        yaozarrs.validate_zarr_store(folder)
        assert open_level(str(folder), "0").geometry.pixel_size is None


@pytest.mark.parametrize("name", ["segmentation", "low"])
@pytest.mark.parametrize("shape", [(2, 1, 2, 20, 30), (3, 1, 2, 20, 30), (3, 2, 3, 20, 30), (2, 1, 4, 20, 31)])
def test_an_output_of_another_shape_is_refused_and_left_alone(
    tmp_path: Path, level: Level, shape: tuple[int, ...], name: str
) -> None:
    url = str(tmp_path / "output.ome.zarr")
    create_output(url, level)
    before = files(Path(url))
    write_image(tmp_path / "other.zarr", np.ones(shape, "u2"), version="0.4")
    with pytest.raises(ImageError) as error:
        create_output(url, open_level(str(tmp_path / "other.zarr"), "0"), name)
    assert files(Path(url)) == before
    assert str(error.value) == (
        f"The output {url} holds shape {SHAPE} of uint16, but the level has shape {shape} of uint16: its planes do not "
        "fit, so nothing was written. Only T and Z may become longer. Rename the image, or move the output away."
    )


def test_an_output_of_another_dtype_is_refused(tmp_path: Path, level: Level) -> None:
    create_output(str(tmp_path / "output.ome.zarr"), level)
    write_image(tmp_path / "other.zarr", np.ones(SHAPE, "f4"), version="0.4")
    with pytest.raises(ImageError, match=r"holds shape .* of uint16, but the level has shape .* of float32"):
        create_output(str(tmp_path / "output.ome.zarr"), open_level(str(tmp_path / "other.zarr"), "0"))


def test_another_level_of_the_same_shape_is_refused(tmp_path: Path, level: Level) -> None:
    folder = tmp_path / "output.ome.zarr"
    create_output(str(folder), level)
    for document in DOCUMENTS["0.5"][1:]:
        (folder / document).unlink()  # as a killed creation leaves it
    before = files(folder)
    with pytest.raises(ImageError) as error:
        create_output(str(folder), replace(level, path="1"))
    assert files(folder) == before
    assert str(error.value) == (
        f"The output {folder} holds level '0' of its image, but the YAML asks for level '1': planes of two levels "
        "would mix, so nothing was written. Correct `level` in the YAML, rename the image, or move the output away."
    )


@pytest.mark.parametrize(("shape", "dtype"), [((2, 1, 4, 20, 30), np.int32), (SHAPE, np.int64)])
def test_labels_of_another_shape_or_dtype_are_refused(
    tmp_path: Path, level: Level, shape: tuple[int, ...], dtype: type
) -> None:
    create_output(str(tmp_path / "output"), level)
    shutil.rmtree(tmp_path / "output/labels/segmentation/0")
    create_array(str(tmp_path / "output"), "labels/segmentation/0", shape, np.dtype(dtype), FORMATS["0.5"])
    with pytest.raises(ImageError) as error:
        create_output(str(tmp_path / "output"), level)
    wrong = f"output/labels/segmentation/0 holds shape {shape} of {np.dtype(dtype)}, but the level has shape {SHAPE} of"
    assert wrong in str(error.value)


@pytest.mark.parametrize("form", ["{}", "{}/", "file://{}", "data/../{0.name}"])
@pytest.mark.parametrize("ours", [False, True])
def test_an_image_is_never_its_own_output(
    tmp_path: Path, level: Level, monkeypatch: pytest.MonkeyPatch, form: str, *, ours: bool
) -> None:
    (tmp_path / "data").mkdir()
    monkeypatch.chdir(tmp_path)
    source = tmp_path / "source.zarr"
    if ours:  # an output of which another one is made
        create_output(str(tmp_path / "made"), level)
        source = (tmp_path / "made").rename(tmp_path / "source.zarr.2")
    before = files(source)
    with pytest.raises(ImageError, match="where the labels go, but another image lies there"):
        create_output(form.format(source), open_level(str(source), "0"))
    assert files(source) == before


def test_an_image_of_somebody_else_is_left_alone(tmp_path: Path, level: Level) -> None:
    write_image(tmp_path / "image.ome.zarr", np.ones(SHAPE, "u2"), version="0.4")
    before = files(tmp_path / "image.ome.zarr")
    with pytest.raises(ImageError, match=r"Move that image, or rename the folder of the YAML"):
        create_output(str(tmp_path / "image.ome.zarr"), level, version="0.4")
    assert files(tmp_path / "image.ome.zarr") == before


def test_an_output_that_is_not_there_names_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(ImageError) as error:
        open_output(str(tmp_path / "none"))
    assert str(error.value) == (
        f"No output at {tmp_path / 'none'}/labels/segmentation: nothing was segmented yet. Materialize planes first."
    )


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
