"""`idr-assets rename` and `delete`: an image with its YAML, its files, and what Dagster knows of it."""

import os
import shutil
from pathlib import Path

import dagster as dg
import pytest

from idr_assets.components.yaml_entry import find_entry
from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.output.nodes import list_label_groups
from idr_assets.imaging.output.output_image import open_output
from idr_assets.orchestration.outputs import check_idle
from idr_assets_tests.support.command_project import call, enter_project, forget_project, segment
from idr_assets_tests.support.dagster_home import BIN
from idr_assets_tests.support.image_lists import write_list
from idr_assets_tests.support.image_project import ImageProject
from idr_assets_tests.support.small_image import FIELDS
from idr_assets_tests.support.stored_files import files
from idr_assets_tests.test_project import run

WITHOUT_ROOTS_RIGHTS = [] if os.geteuid() else ["setpriv", "--bounding-set=-all"]
"""Whose commands files refuse as they refuse those of other users."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the planes of a project, once for all tests."""
    folder = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patch:
        segment(enter_project(folder, patch))
    return folder


@pytest.fixture
def project(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ImageProject:
    """Give a copy of that project, and go there as a user does."""
    project = enter_project(tmp_path, monkeypatch)
    for folder in ("home", "to_resume/data"):
        shutil.copytree(made / folder, tmp_path / folder, dirs_exist_ok=True)
    (project.root / "data/image").mkdir()
    for name in ("montage.png", "mine.txt"):
        (project.root / "data/image" / name).touch()
    return project


def told() -> set[str]:
    with dg.DagsterInstance.get() as instance:
        return {key.to_user_string() for key in instance.get_asset_keys()}


def test_a_renamed_image_keeps_its_planes(project: ImageProject, monkeypatch: pytest.MonkeyPatch) -> None:
    found = call("rename image embryo")
    assert (found.exit_code, "Adopted 4 partitions of embryo.\n" in found.stdout) == (0, True), found.output
    assert "earlier runs of image is lost" in found.stdout
    data = project.root / "data"
    assert {it.name for it in data.iterdir()} == {"source.zarr", "embryo.ome.zarr", "embryo", "image"}
    assert ((data / "embryo/montage.png").exists(), [*(data / "image").iterdir()]) == (True, [data / "image/mine.txt"])
    assert told() == {"embryo/source_image", "embryo/plane_labels"}
    forget_project(monkeypatch)
    assert call("missing embryo").stderr == "No plane of embryo is missing or failed.\n"
    assert call("resume embryo").exit_code == 0
    assert told() >= {"embryo/montage", "embryo/objects"}  # which Dagster does not know any more


def test_where_the_yaml_may_not_be_changed_nothing_is(project: ImageProject) -> None:
    before = files(project.root / "data"), told()
    defs = project.yaml.parents[1]
    defs.chmod(0o555)
    for command in ("rename image embryo", "delete image --yes", "add other source.zarr"):
        found = run(*WITHOUT_ROOTS_RIGHTS, BIN / "idr-assets", *command.split(), cwd=project.root)
        assert (found.returncode, "Traceback" in found.stderr, f"{defs}" in found.stderr) == (1, False, True), (
            found.stderr
        )
    defs.chmod(0o755)
    assert (files(project.root / "data"), told()) == before


def test_a_name_that_is_taken_is_not_given(project: ImageProject) -> None:
    (project.root / "data/other").mkdir()
    (project.root / "data/other/montage.png").touch()
    assert "data/other/montage.png exists already, so nothing was done" in call("rename image other").stderr
    assert "cannot name an image" in call("rename image a-b").stderr
    taken = call("rename image image").stderr
    assert ("Choose another name." in taken, "--force" in taken) == (True, False)
    assert call("missing image").stderr == "No plane of image is missing or failed.\n"


def test_a_renamed_list_keeps_its_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    enter_project(tmp_path, monkeypatch)
    project = write_list(tmp_path / "to_resume")
    (table := project.root / "data/screen/overview.parquet").parent.mkdir(parents=True)
    table.touch()
    with dg.DagsterInstance.get() as instance:
        for key in ("screen/overview", "a/montage"):
            instance.report_runless_asset_event(dg.AssetMaterialization(dg.AssetKey(key.split("/"))))
    assert "There is an image or a list 'b' already" in call("rename screen b").stderr
    found = call("rename screen study")
    assert (found.exit_code, "The images of screen keep their names" in found.stdout) == (0, True), found.output
    assert (table.parent.exists(), (project.root / "data/study/overview.parquet").exists()) == (False, True)
    assert (told(), project.yaml.exists()) == ({"a/montage"}, False)
    forget_project(monkeypatch)
    assert call("missing study").stdout.split() == ["a", "1|09...2|10", "b", "1|09...2|10"]


def test_an_image_is_deleted_after_the_answer(project: ImageProject) -> None:
    asked = call("delete image", "n\n")
    data = project.root / "data"
    assert asked.stdout.splitlines()[:4] == [
        str(data / "image.ome.zarr"),
        str(data / "image/montage.png"),
        f"{project.yaml.parent} and all that is in it",
        "Dagster's records of 2 assets, with 4 partitions of planes",
    ]
    assert (asked.exit_code, (data / "image.ome.zarr").exists(), project.yaml.exists()) == (1, True, True)
    assert call("delete image --yes").stdout.endswith("image was deleted.\n")
    assert {it.name for it in data.iterdir()} == {"source.zarr", "image"}
    assert ([it.name for it in (data / "image").iterdir()], project.yaml.parent.exists()) == (["mine.txt"], False)
    assert told() == set()


def test_a_run_at_work_keeps_its_image() -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_run(dg.DagsterRun("segment_image", status=dg.DagsterRunStatus.STARTED))
        with pytest.raises(ImageError, match=r"The run .* of image has not ended, so nothing was done"):
            check_idle(instance, {"image"})
        check_idle(instance, {"other"})


def test_labels_get_the_name_that_the_yaml_gives_their_recipe(
    project: ImageProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write(**FIELDS, segmentations="{high: {parameters: {threshold_fraction: 0.7}}, low: {}}")
    forget_project(monkeypatch)
    found = call("adopt image")
    assert found.exit_code == 0, found.output
    assert "The labels of image are those of image, low now." in found.stderr
    assert "Adopted 4 partitions of image, low.\n" in found.stdout
    output = str(project.root / "data/image.ome.zarr")
    assert list_label_groups(output) == ["low"]
    assert len(list(filter(None, open_output(output, "low").read_grid((1, 2), (0, 1), (9, 10)).values()))) == 8
    assert (project.root / "data/image/low/montage.png").exists()
    assert told() == {"image/source_image", "image/low/plane_labels"}


ENTRIES = """type: idr_assets.SegmentedImages
attributes:
  images:
    - {name: a, url: a.zarr}
    - name: b  # the second
      url: b.zarr
    - {name: c, url: c.zarr}
  level: "0"
"""


@pytest.mark.parametrize("name", ["a", "b", "c"])
def test_an_entry_in_the_yaml_of_a_list_is_removed_or_renamed_alone(tmp_path: Path, name: str) -> None:
    yaml = tmp_path / "screen/defs.yaml"
    yaml.parent.mkdir()
    yaml.write_text(ENTRIES)
    find_entry(tmp_path, name, "screen").rename("embryo")
    assert yaml.read_text() == ENTRIES.replace(f"name: {name}", "name: embryo")
    find_entry(tmp_path, "embryo", "screen").remove()
    parts = {"a": "    - {name: a, url: a.zarr}\n", "b": "    - name: b  # the second\n      url: b.zarr\n"}
    assert yaml.read_text() == ENTRIES.replace(parts.get(name, "    - {name: c, url: c.zarr}\n"), "")


def test_the_row_of_an_image_is_removed_unless_it_is_the_last(tmp_path: Path) -> None:
    table = tmp_path / "screen/images.csv"
    table.parent.mkdir()
    table.write_text("name,url\na,a.zarr\nb,b.zarr\n")
    table.with_name("defs.yaml").write_text(ENTRIES.partition("  images")[0] + "  images: images.csv\n")
    find_entry(tmp_path, "a", "screen").rename("c")
    find_entry(tmp_path, "b", "screen").remove()
    assert table.read_text() == "name,url\nc,a.zarr\n"
    with pytest.raises(ImageError, match="idr-assets delete screen"):
        find_entry(tmp_path, "c", "screen").check_others()
