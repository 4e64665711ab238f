"""An output is never made over another one, nor over an image."""

import shutil
from dataclasses import replace
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest

from idr_assets.imaging.ome_zarr.formats import FORMATS, Version
from idr_assets.imaging.output.creation import create_array, create_output
from idr_assets.imaging.reading.level import Level, open_level
from idr_assets_tests.support.idr_stores import write_image
from idr_assets_tests.support.outputs import SHAPE, kill_creation, refused


@pytest.mark.parametrize(
    ("path", "damage"),
    [("", "half of it"), ("0", "half of it"), ("0", "no node"), ("labels/segmentation/0", "no node")],
)
def test_a_damaged_document_is_named_and_nothing_is_written(level: Level, folder: Path, path: str, damage: str) -> None:
    create_output(str(folder), level)
    document = folder / path / "zarr.json"
    text = document.read_text()
    document.write_text(text[: len(text) // 2] if damage == "half of it" else '{"zarr_format": 3}')
    with refused(folder, f"The metadata of {folder / path} are damaged ", "Restore"):
        create_output(str(folder), level)


@pytest.mark.parametrize(("stored", "wanted"), list(permutations(FORMATS)))
def test_an_output_of_another_format_is_refused(folder: Path, level: Level, stored: Version, wanted: Version) -> None:
    create_output(str(folder), level, version=stored)
    kill_creation(folder, stored, 2)
    said = (
        f"The output {folder} is OME-Zarr {stored}, but the YAML asks for {wanted}: files of both would mix, so "
        f'nothing was written. Write `format: "{stored}"` in the YAML, or rename the image, or move the output away '
        "and materialize all of its planes again."
    )
    with refused(folder, said):
        create_output(str(folder), level, version=wanted)


OTHERS = [(3, 2, 3, 20, 30), (4, 2, 3, 20, 30), (4, 3, 4, 20, 30), (3, 2, 5, 20, 31)]


@pytest.mark.parametrize("name", ["segmentation", "low"])
@pytest.mark.parametrize(("shape", "dtype"), [*((shape, "uint16") for shape in OTHERS), (SHAPE, "float32")])
def test_an_output_of_another_shape_or_dtype_is_refused(
    folder: Path, level: Level, shape: tuple[int, ...], dtype: str, name: str
) -> None:
    create_output(str(folder), level)
    other = write_image(folder.with_name("other.zarr"), np.ones(shape, dtype), version="0.4")
    said = (
        f"The output {folder} holds shape {SHAPE} of uint16, but the level has shape {shape} of {dtype}: its planes do "
        "not fit, so nothing was written. Only T and Z may become longer. Rename the image, or move the output away."
    )
    with refused(folder, said):
        create_output(str(folder), open_level(str(other), "0"), name)


def test_another_level_of_the_same_shape_is_refused(folder: Path, level: Level) -> None:
    create_output(str(folder), level)
    kill_creation(folder, "0.5", 1)
    said = (
        f"The output {folder} holds level '0' of its image, but the YAML asks for level '1': planes of two levels "
        "would mix, so nothing was written. Correct `level` in the YAML, rename the image, or move the output away."
    )
    with refused(folder, said):
        create_output(str(folder), replace(level, path="1"))


@pytest.mark.parametrize(("shape", "dtype"), [((3, 2, 5, 20, 30), np.int32), (SHAPE, np.int64)])
def test_labels_of_another_shape_or_dtype_are_refused(
    folder: Path, level: Level, shape: tuple[int, ...], dtype: type
) -> None:
    create_output(str(folder), level)
    shutil.rmtree(folder / "labels/segmentation/0")
    create_array(str(folder), "labels/segmentation/0", shape, np.dtype(dtype), FORMATS["0.5"])
    wrong = f"/labels/segmentation/0 holds shape {shape} of {np.dtype(dtype)}, but the level has shape {SHAPE} of"
    with refused(folder, wrong):
        create_output(str(folder), level)


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
    with refused(source, "where the labels go, but another image lies there"):
        create_output(form.format(source), open_level(str(source), "0"))


def test_an_image_of_somebody_else_is_left_alone(folder: Path, level: Level) -> None:
    write_image(folder, np.ones(SHAPE, "u2"), version="0.4")
    with refused(folder, "Move that image, or rename the folder of the YAML"):
        create_output(str(folder), level, version="0.4")
