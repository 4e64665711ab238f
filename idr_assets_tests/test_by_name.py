"""Pixels, labels and objects by the image's name, as a script or a notebook asks for them."""

import json
import pickle
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np
import pytest

from idr_assets import open_labels, open_pixels, read_objects
from idr_assets.imaging.errors import ImageError
from idr_assets_tests.orchestration.conftest import SETTINGS
from idr_assets_tests.support.small_image import PIXELS, Segmented, recipe, write_project
from idr_assets_tests.test_project import run

SEVERAL = "{low: {}, high: {parameters: {threshold_fraction: 0.7}}}"
STORED = [(1, 0, 9), (1, 1, 9)]
MEASURED = [*STORED, (2, 0, 10), (2, 1, 10)]
LIGHT = "import sys, idr_assets; print(*sys.modules.keys() & {'dagster', 'dask', 'numpy', 'pandas', 'zarr'})"

NOTEBOOK = """
import copy, gc, logging, sys
import dask.array, distributed, fsspec, zarr

def settings():
    every = {"": logging.root} | {n: it for n, it in logging.root.manager.loggerDict.items() if hasattr(it, "filters")}
    loggers = {n: (it.level, it.propagate, it.disabled, [*it.filters], [*it.handlers]) for n, it in every.items()}
    configurations = [dask.config.config, fsspec.config.conf, zarr.config.config]
    return copy.deepcopy(configurations) + [gc.get_threshold(), gc.get_freeze_count(), loggers]

*before, loggers = settings()
from idr_assets import open_labels, open_pixels
for opened in (open_labels("image", "low", module=sys.argv[1]), open_pixels("image", module=sys.argv[1])):
    opened[1, 0, 9].compute()
import idr_assets.imaging.segmentation.blocks
*after, others = settings()
assert before == after, (before, after)
assert loggers == {name: others[name] for name in loggers}, (loggers, others)
"""
"""Opens labels and pixels, then compares the settings of the process with those before."""


@pytest.fixture(scope="module")
def module(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give the definitions of a project in a folder of its own: a partition segmented in two ways, another in one."""
    with pytest.MonkeyPatch.context() as patch, dg.DagsterInstance.ephemeral(settings=SETTINGS) as instance:
        for variable in ("IDR_ASSETS_DATA", "DAGSTER_HOME"):
            patch.delenv(variable, raising=False)
        project = write_project(tmp_path_factory.mktemp("by_name"), segmentations=SEVERAL)
        project.write_definitions()
        segmented = Segmented(project, instance)
        done = [("low/plane_labels", "1|09"), ("high/plane_labels", "1|09"), ("high/plane_labels", "2|10")]
        assert [segmented.run(*each) for each in [*done, ("high/objects", "1", "2")]] == [""] * 4
        patch.syspath_prepend(project.root)
        yield f"{project.package.name}.definitions"


@pytest.fixture
def untouched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Give the definitions of a project of which nothing was run."""
    monkeypatch.delenv("IDR_ASSETS_DATA", raising=False)
    project = write_project(tmp_path / f"untouched_{tmp_path.name}")
    project.write_definitions()
    monkeypatch.syspath_prepend(project.root)
    return f"{project.package.name}.definitions"


def test_pixels_are_the_whole_level_of_the_source(module: str) -> None:
    pixels = open_pixels("image", module=module)
    assert (pixels.shape, pixels.dtype, pixels.chunksize) == (PIXELS.shape, ">u2", (1, 1, 1, 40, 36))
    assert np.array_equal(pixels.compute(), PIXELS)


@pytest.mark.parametrize(
    ("declared", "reason"),
    [
        ({"shape": [3, 2, 12, 41, 36]}, "The shape of level '0' of"),
        ({"dimension_separator": "."}, "every plane would seem to be missing"),
    ],
)
def test_pixels_that_are_not_what_yaml_or_metadata_say_are_refused(
    untouched: str, declared: dict[str, Any], reason: str
) -> None:
    document = Path(sys.path[0]) / "data/source.zarr/0/.zarray"
    document.write_text(json.dumps(json.loads(document.read_text()) | declared))
    with pytest.raises(ImageError, match=reason):
        open_pixels("image", module=untouched)


@pytest.mark.parametrize(("segmentation", "fraction"), [("low", 0.33), ("high", 0.7)])
def test_labels_lie_at_the_indices_of_their_pixels(module: str, segmentation: str, fraction: float) -> None:
    labels = open_labels("image", segmentation, module=module)
    assert (labels.shape, labels.dtype, labels.chunksize) == (PIXELS.shape, np.int32, (1, 1, 1, 40, 36))
    for plane in STORED:
        assert np.array_equal(labels[plane].compute(), recipe(PIXELS[plane], fraction=fraction))
    cut = labels[1, :, [9], 5:9:2, ::-3].compute()
    assert np.array_equal(cut, labels[1, :, 9:10].compute()[:, :, 5:9:2, ::-3])


def test_a_plane_that_is_not_there_yet_is_an_error_that_names_it(module: str) -> None:
    labels = open_labels("image", "low", module=module)
    for computed in (labels[2, 1, 10], labels[1:3, 1, 9:11].max(), labels[2, 1, 10, 3]):
        missing = r"t (2 c 1 z 9|[12] c 1 z 10) is not stored in .*/image\.ome\.zarr, labels 'low'\. Materialize it"
        with pytest.raises(ImageError, match=missing):
            computed.compute()


def test_a_notebook_that_opens_labels_keeps_its_settings_of_other_libraries(module: str) -> None:
    found = run(sys.executable, "-c", NOTEBOOK, module, PYTHONPATH=sys.path[0])
    assert found.returncode == 0, found.stderr


def test_what_is_opened_can_be_sent_to_a_worker(module: str) -> None:
    lazy = pickle.loads(pickle.dumps(open_labels("image", "low", module=module)[STORED[0]]))  # noqa: S301
    assert np.array_equal(lazy.compute(), recipe(PIXELS[STORED[0]]))


def test_objects_of_all_timepoints_are_one_frame(module: str) -> None:
    objects = read_objects("image", "high", module=module)
    counts = objects.groupby(["t", "c", "z"])["label"].max().to_dict()
    assert counts == {plane: recipe(PIXELS[plane], fraction=0.7).max() for plane in MEASURED}


@pytest.mark.parametrize("read", [open_labels, read_objects])
def test_of_several_segmentations_one_must_be_named(module: str, read: Callable[..., object]) -> None:
    with pytest.raises(ImageError, match=r"image has several segmentations, .* Choose from: low, high\."):
        read("image", module=module)
    with pytest.raises(ImageError, match=r"image has no segmentation 'otsu', .* Choose from: low, high\."):
        read("image", "otsu", module=module)


def test_an_only_segmentation_has_no_name(untouched: str) -> None:
    with pytest.raises(ImageError, match=r"image has no segmentation 'low', .* Leave `segmentation` out"):
        open_labels("image", "low", module=untouched)


def test_nothing_is_there_before_the_first_run_and_reading_makes_nothing(untouched: str, tmp_path: Path) -> None:
    data = tmp_path / f"untouched_{tmp_path.name}/data"
    before = sorted(data.iterdir())
    with pytest.raises(ImageError, match=r"nothing was segmented yet\. .*: `idr-assets resume image`\."):
        open_labels("image", module=untouched)
    with pytest.raises(ImageError, match=r"nothing has been measured\. Materialize `objects` first\."):
        read_objects("image", module=untouched)
    assert sorted(data.iterdir()) == before


@pytest.mark.parametrize("read", [open_pixels, open_labels, read_objects])
def test_an_unknown_name_lists_those_of_the_yaml_files(read: Callable[..., object]) -> None:
    with pytest.raises(ImageError, match=r"There is no image 'embryo', .* Choose from: demo, idr0044\."):
        read("embryo")


def test_a_module_without_definitions_is_named(untouched: str) -> None:
    package = untouched.partition(".")[0]
    (Path(sys.path[0]) / package / "defs/__init__.py").touch()
    for module in (package, f"{package}.defs"):
        with pytest.raises(ImageError, match=rf"Module '{module}' has no definitions `defs`, .* Name another"):
            open_labels("image", module=module)


def test_an_invalid_yaml_of_another_image_is_named_with_the_reason(untouched: str) -> None:
    other = Path(sys.path[0]) / untouched.partition(".")[0] / "defs/other/defs.yaml"
    other.parent.mkdir()
    other.write_text("type: idr_assets.SegmentedImage\nattributes: {url: other.zarr, level: '0', shape: [1, 2]}\n")
    with pytest.raises(ImageError) as error:
        read_objects("image", module=untouched)
    assert str(error.value).startswith(f"{untouched} cannot be loaded, so nothing was done: 1 validation error")
    assert f"attributes.shape at {other}:2" in str(error.value)


def test_importing_the_package_imports_nothing_heavy() -> None:
    imported = run(sys.executable, "-c", LIGHT)
    assert (imported.returncode, imported.stdout.split()) == (0, []), imported.stderr


def test_a_project_whose_toml_is_broken_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pyproject.toml").write_text("x = [")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ImageError, match=r"pyproject.toml cannot be read \(Invalid value .*, so no project is known"):
        open_labels("image")
