"""The command `try`: a plane with other parameters, in pixels or in micrometres, drawn and not stored."""

import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from idr_assets.command_line import main
from idr_assets.commands.try_plane import change_recipe
from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.ome_zarr.geometry import Geometry
from idr_assets.imaging.output.provenance import read_provenance
from idr_assets.imaging.planes import Plane
from idr_assets.imaging.reading.level import open_level
from idr_assets.imaging.segmentation import (
    cutting,
    joined_over_z,
    otsu_watershed,
    otsu_watershed_3d,
    per_batch,
    size_remarks,
)
from idr_assets.imaging.segmentation.findings import Findings
from idr_assets.imaging.segmentation.lengths import resolve_lengths
from idr_assets.imaging.segmentation.recipe import Recipe
from idr_assets.imaging.segmentation.remarks import advise_parameters
from idr_assets.imaging.segmentation.run import SegmentationRun
from idr_assets.orchestration.assets.work import look
from idr_assets.orchestration.assets.work.look import draw_look
from idr_assets_tests.support.image_project import ImageProject
from idr_assets_tests.support.small_image import write_project

ROWS, COLUMNS = np.indices((120, 130))
NUCLEI = sum(900 * (np.hypot(ROWS - y, COLUMNS - x) < 14) for y, x in [(20, 20), (60, 60), (95, 100)]) + 100
NOISE = np.random.default_rng(1).poisson(NUCLEI).astype("u2")
RECIPE = "idr_assets.imaging.segmentation.otsu_watershed"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ImageProject]:
    """Write a project with an image of three nuclei, and go there as a user does."""
    fields = {"shape": str([1, 1, 1, *NOISE.shape]), "channels": "[0]", "window": "{t: all, z: all}"}
    segmentation = f"{{function: {RECIPE}, parameters: {{background_sigma: 12 um}}}}"
    project = write_project(
        tmp_path_factory.mktemp("tried"), NOISE[None, None, None], **fields, segmentation=segmentation
    )
    project.write_definitions()
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("IDR_ASSETS_DATA", raising=False)
        patch.chdir(project.root)
        patch.setattr(sys, "path", [str(project.root), *sys.path])
        yield project


def try_plane(project: ImageProject, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["try", "image", *arguments, "--module", f"{project.root.name}.definitions"])


def size(project: ImageProject) -> float:
    found = open_level(str(project.root / "data/source.zarr"), "0").geometry.pixel_size
    assert found
    return found


def test_a_plane_is_segmented_drawn_and_described_and_nothing_is_stored(project: ImageProject) -> None:
    before = sorted((project.root / "data").rglob("*"))
    found = try_plane(project, "0|0", "--set", "background_sigma=30", "--set", "minimum_area=99")
    assert found.exit_code == 0, found.output
    lines = found.stdout.splitlines()
    assert lines[0] == "otsu_watershed {'background_sigma': 30, 'minimum_area': 99}"
    said = re.fullmatch(r"3 objects in t 0 c 0 z 0: areas (\S+) to .* pixels; (\S+) to .* µm²", lines[1])
    assert said
    assert float(said[2]) == pytest.approx(float(said[1]) * size(project) ** 2, rel=0.01)
    assert lines[-1] == "look at: data/image/try.png"
    drawn = project.root / "data/image/try.png"
    with Image.open(drawn) as picture:
        assert picture.size[0] > 1000
    drawn.unlink()
    drawn.parent.rmdir()
    assert sorted((project.root / "data").rglob("*")) == before


def test_a_large_plane_is_cut_as_in_a_run_and_its_time_is_told_before(
    project: ImageProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = try_plane(project, "0|0", "--set", "background_sigma=30")
    for module in (cutting, size_remarks):
        monkeypatch.setattr(module, "MOST_PIXELS", 1000)
    for module in (look, size_remarks):
        monkeypatch.setattr(module, "LONGEST_CHUNK", 50)
    monkeypatch.setattr(look, "label", None)
    found = try_plane(project, "0|0", "--set", "background_sigma=30")
    assert found.exit_code == 0, found.output
    told, *lines = found.stdout.splitlines()
    assert re.search(r"are cut into \d+ tiles, which all threads segment together: about .* of a thread", told)
    assert lines[1].split(":")[0] == whole.stdout.splitlines()[1].split(":")[0]


def test_pieces_of_large_objects_are_told_with_the_parameter_to_turn(project: ImageProject) -> None:
    found = try_plane(project, "0|0", "--set", "background_sigma=3", "--picture", "other.png")
    assert "more than background_sigma, 3: " in found.stdout
    assert "Set background_sigma to twice the radius of a whole object" in found.stdout
    assert Path("other.png").exists()


WRONG = [
    (("0|0", "--set", "background_sigma=-1"), "Input should be greater than 0; correct it, or leave it out to use 10"),
    (("0|0", "--set", "minimum_area=3 um"), "it is an area; write um2; correct it"),
    (("0|0", "--set", "background_sigma=3 um2"), "it is a length; write um; correct it"),
    (("0|0", "--set", "sgma=1"), "got an unexpected keyword argument 'sgma'"),
    (("0|0", "--set", "sigma"), "'sigma' is no parameter; write its name and value, such as background_sigma=80"),
    (("0|0", "--set", "sigma=["), "'[', the value of sigma, is no YAML; put text with punctuation in quotes"),
    (("0|7",), "image has z 0 to 0, not 7"),
    (("0",), "'0' is no partition of image; write one such as '0|0'"),
]


@per_batch(model=lambda: None)
def as_floats(planes: Any, *, model: Any) -> Any:  # noqa: ANN401  what a person writes
    """Return what are no labels."""
    assert model is None
    return planes.astype("f4")


def test_what_a_function_does_wrong_is_said_without_a_traceback(project: ImageProject) -> None:
    image = project.load_image()
    recipe = replace(image.recipe, path="as_floats", function=as_floats, parameters={})
    with pytest.raises(ImageError, match=r"as_floats must return integer labels of shape .* it returned float32"):
        draw_look(image.source.open(), image.window, recipe, "image", "none.png")


def load_number(weights: Path) -> int:
    """Load the number of a file."""
    return int(weights.read_text())


@per_batch(model=load_number)
def as_the_model_says(planes: Any, *, model: int) -> Any:  # noqa: ANN401  what a person writes
    """Return one object for each plane."""
    return np.full(planes.shape, model)


def test_weights_are_looked_for_where_a_yaml_has_them(project: ImageProject) -> None:
    recipe = replace(project.load_image().recipe, path=f"{__name__}.as_the_model_says", function=as_the_model_says)
    changed = change_recipe(replace(recipe, parameters={}), {"weights": "models/one.txt"}, project.root)
    assert changed.parameters == {"weights": str(project.root / "data/models/one.txt")}


@pytest.mark.parametrize(("arguments", "message"), WRONG)
def test_what_cannot_be_tried_is_said(project: ImageProject, arguments: tuple[str, ...], message: str) -> None:
    found = try_plane(project, *arguments)
    assert found.exit_code == 1
    assert message in found.stderr
    assert "Nothing was segmented." in found.stderr


def test_a_length_is_resolved_by_a_run_and_recorded_in_pixels_and_as_given(
    project: ImageProject, tmp_path: Path
) -> None:
    image = project.load_image()
    run = SegmentationRun.prepare(image.source, image.recipe, image.window, str(tmp_path / "output"))
    assert len(run.task(image.window)) == 1
    (record,) = read_provenance(run.output.url, "segmentation")
    assert record.parameters == {"background_sigma": pytest.approx(12 / size(project))}
    assert record.given == {"background_sigma": "12 um"}
    assert "warning" not in try_plane(project, "0|0", "--set", f"background_sigma={12 / size(project)}").stdout


def test_lengths_and_areas_are_those_of_the_pixel(project: ImageProject) -> None:
    geometry = open_level(str(project.root / "data/source.zarr"), "0").geometry
    pixel = size(project)
    assert resolve_lengths(otsu_watershed, {"sigma": "2um", "minimum_area": "8 µm²", "split_depth": 1}, geometry) == {
        "sigma": pytest.approx(2 / pixel),
        "minimum_area": pytest.approx(8 / pixel**2),
        "split_depth": 1,
    }
    assert geometry.voxel_volume
    volume = resolve_lengths(otsu_watershed_3d, {"minimum_volume": "500 um3"}, geometry)["minimum_volume"]
    assert volume == pytest.approx(500 / geometry.voxel_volume)
    nested = {"function": RECIPE, "parameters": {"sigma": "2 um"}, "iou": 0.5}
    assert resolve_lengths(joined_over_z, nested, geometry)["parameters"] == {"sigma": pytest.approx(2 / pixel)}


@pytest.mark.parametrize(
    ("scale", "problem"), [((1.0, 1.0), "does not say how large"), ((0.5, 0.4), "its pixels are not square")]
)
def test_without_a_size_of_square_pixels_a_length_is_refused(scale: tuple[float, float], problem: str) -> None:
    units = (None, None) if scale == (1.0, 1.0) else ("micrometer", "micrometer")
    geometry = Geometry(axes=("y", "x"), scale=scale, translation=(0.0, 0.0), units=units)
    with pytest.raises(Exception, match=problem):
        resolve_lengths(otsu_watershed, {"sigma": "2 um"}, geometry)


@pytest.mark.parametrize(
    ("foreground", "objects", "parameters", "advice"),
    [
        (0.01, 1, {}, None),
        (0.2, 2, {}, "background_sigma, 10: "),
        (0.001, 100, {}, "less than sigma, 1, by which planes are smoothed"),
        (0.8, 1, {"background_sigma": 99}, "labels cover 80% of the planes"),
    ],
)
def test_objects_unlike_the_smoothing_are_told(
    project: ImageProject, foreground: float, objects: int, parameters: dict[str, float], advice: str | None
) -> None:
    level = open_level(str(project.root / "data/source.zarr"), "0")
    found = Findings({Plane(0, 0, 0): objects}, foreground=foreground)
    told = advise_parameters(level, Recipe(RECIPE, otsu_watershed, parameters, (0,)), found)
    assert advice in told if told and advice else told is advice
