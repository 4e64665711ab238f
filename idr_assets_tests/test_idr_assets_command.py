"""The command `idr-assets`: what it lists, what it runs, and how it ends."""

import os
import shutil
from pathlib import Path

import dagster as dg
import pytest

from idr_assets.commands import show
from idr_assets.imaging.output.output_image import open_output
from idr_assets_tests.support.command_project import call, enter_project, forget_project, segment
from idr_assets_tests.support.dagster_home import ROOT
from idr_assets_tests.support.image_project import ImageProject
from idr_assets_tests.support.small_image import FIELDS, Segmented

MAKES = """
import dagster as dg
from pathlib import Path

DATA = Path(__file__).parents[2] / "data"

@dg.asset(key=["image", "made"])
def made():
    (DATA / "kept").rename(DATA / "source.zarr")
"""
"""A module of the user's own whose asset produces the image."""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ImageProject:
    """Write a project and an instance, and go there as a user does."""
    return enter_project(tmp_path, monkeypatch)


def test_what_is_missing_is_done_what_fails_stays_and_ends_with_1(
    project: ImageProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert call("missing image").stdout == "1|09...2|10\n"
    assert "Nothing was made of image yet" in call("show image").stderr
    monkeypatch.setattr(show, "WINDOWS", ["no_such_toolkit"])
    chunk = project.root / "data/source.zarr/0/1/1/10/0/0"
    pixels = chunk.read_bytes()
    chunk.unlink()
    assert call("resume image").exit_code == 1
    assert call("missing image").stdout == "1|10\n"
    montage = project.root / "data/image/montage.png"
    montage.unlink()  # of the planes that are done

    chunk.write_bytes(pixels)
    assert call("resume image").exit_code == 0
    assert montage.exists()
    assert f"so nothing was shown of {project.root / 'data/image.ome.zarr'}. Install" in call("show image").stderr
    again = call("resume image")
    assert (again.exit_code, again.stderr) == (0, "No plane of image is missing or failed.\n")


def test_an_image_that_was_not_made_is_made_first(project: ImageProject) -> None:
    project.write(**FIELDS | {"window": "{t: [1, 1], z: [9, 9]}"}, upstream="[image/made]")
    (project.package / "defs/made.py").write_text(MAKES)
    (project.root / "data/source.zarr").rename(project.root / "data/kept")
    with dg.DagsterInstance.get() as instance:
        failure = Segmented(project, instance).run("plane_labels", "1|09")
    assert "If the image was not made, or not completely, make it: `dg launch --assets image/made`." in failure
    assert call("resume image").exit_code == 0
    assert call("missing image").stdout == ""


def test_wiped_planes_are_missing_and_leave_the_others_alone(project: ImageProject) -> None:
    segment(project)
    found = call("wipe image 1|09")
    assert (found.exit_code, "docs/how_to/postgresql.md" in found.stderr) == (1, True)
    shutil.copy(ROOT / ".dagster_home/dagster.yaml", os.environ["DAGSTER_HOME"])
    assert call("wipe image 1|10 2|09...2|10").stdout == "Labels of image were deleted for 3 partitions.\n"
    assert call("missing image").stdout == "1|10\n2|09...2|10\n"
    labels = open_output(str(project.root / "data/image.ome.zarr"))
    assert {where for where, plane in labels.read_grid((1, 2), (0, 1), (9, 10)).items() if plane} == {
        (1, 0, 9),
        (1, 1, 9),
    }
    assert call("resume image").exit_code == 0
    assert call("missing image").stdout == ""
    shutil.rmtree(project.root / "data/image.ome.zarr")
    assert call("wipe image 1|10").stdout == "Labels of image were deleted for 1 partition.\n"
    assert call("missing image").stdout == "1|10\n"
    with dg.DagsterInstance.get() as instance:
        assert len(instance.get_runs()) == 4  # the first planes, those that were missing, the figures, the objects


def test_stale_planes_are_listed_and_done_again_when_asked_for(
    project: ImageProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    segment(project)
    assert call("missing image --stale").stderr == "No plane of image is missing or failed, or stale.\n"
    project.write(**FIELDS, segmentation="{parameters: {sigma: 2}}")
    forget_project(monkeypatch)
    assert call("missing image").stdout == ""
    assert call("missing image --stale").stdout == "1|09...2|10\n"
    assert call("resume image --stale").exit_code == 0
    assert call("missing image --stale").stdout == ""


def test_a_project_that_cannot_be_loaded_is_told_in_few_words(project: ImageProject) -> None:
    project.write(**FIELDS, links="[no, mapping]")
    found = call("missing image")
    assert found.exit_code == 1
    assert "cannot be loaded, so nothing was done: 1 validation error" in found.stderr
    assert f"attributes.links at {project.yaml}:" in found.stderr
    assert "Traceback" not in found.stderr


def test_only_planes_of_the_window_are_wiped(project: ImageProject) -> None:
    assert project.root.exists()
    for key in ("1|08", "3|09", "nonsense", "1|09...1|11", "1|09...", "...1|09", "1|09...1|10...2|10"):
        assert f"'{key}' is not in the window of image, so nothing was done" in call(f"wipe image {key}").stderr
    for ends_first in ("2|10...1|09", "1|10...2|09"):
        assert f"{ends_first} ends before it starts" in call(f"wipe image {ends_first}").stderr
    assert "has no segmentation 'otsu'" in call("wipe image 1|09 -s otsu").stderr
    assert "nothing was segmented yet" in call("wipe image 1|09").stderr


def test_planes_of_several_segmentations_are_not_wiped_at_once(project: ImageProject) -> None:
    project.write(**FIELDS, segmentations="{low: {}, high: {parameters: {threshold_fraction: 0.7}}}")
    assert "image has several segmentations, so nothing was done. Choose from" in call("wipe image 1|09").stderr
    assert "nothing was segmented yet" in call("wipe image 1|09 -s high").stderr


def test_an_image_that_is_not_there_is_named_with_those_that_are(project: ImageProject) -> None:
    assert project.root.exists()
    found = call("missing embryo")
    assert found.exit_code == 1
    assert "There is no image 'embryo', so nothing was done. Choose from: image." in found.stderr


@pytest.mark.parametrize("part", ["?", "[", "*", "%20"])
def test_a_folder_that_dagster_misreads_is_no_instance(
    part: str, project: ImageProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = project.root / f"a{part}b"
    monkeypatch.setenv("DAGSTER_HOME", str(folder))
    assert f"is {folder}, and Dagster misreads {part} in the path of its files" in call("missing image").stderr
    assert not folder.exists()


def test_without_an_instance_nothing_can_be_told(project: ImageProject, monkeypatch: pytest.MonkeyPatch) -> None:
    assert project.root.exists()
    monkeypatch.delenv("DAGSTER_HOME")
    assert "export DAGSTER_HOME=" in call("resume image").stderr
