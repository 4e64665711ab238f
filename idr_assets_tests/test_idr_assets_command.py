"""The command `idr-assets`: what it lists, what it runs, and how it ends."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from idr_assets.command_line import main
from idr_assets_tests.image_project import ImageProject
from idr_assets_tests.orchestration.small_image import write_project


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ImageProject:
    """Write a project and an instance, and go there as a user does."""
    project = write_project(tmp_path / "to_resume")
    project.write_definitions()
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("IDR_ASSETS_DATA", raising=False)
    monkeypatch.chdir(project.root)
    monkeypatch.syspath_prepend(str(project.root))
    return project


def call(command: str) -> Result:
    return CliRunner().invoke(main, [*command.split(), "--module", "to_resume.definitions"])


def test_what_is_missing_is_done_what_fails_stays_and_ends_with_1(project: ImageProject) -> None:
    assert call("missing image").stdout == "1|09...2|10\n"
    chunk = project.root / "data/source.zarr/0/1/1/10/0/0"
    pixels = chunk.read_bytes()
    chunk.unlink()
    assert call("resume image").exit_code == 1
    assert call("missing image").stdout == "1|10\n"
    assert not (project.root / "data/image/montage.png").exists()

    chunk.write_bytes(pixels)
    assert call("resume image").exit_code == 0
    assert (project.root / "data/image/montage.png").exists()
    again = call("resume image")
    assert (again.exit_code, again.stderr) == (0, "No plane of image is missing or failed.\n")


def test_an_image_that_is_not_there_is_named_with_those_that_are(project: ImageProject) -> None:
    assert project.root.exists()
    found = call("missing embryo")
    assert found.exit_code == 1
    assert "There is no image 'embryo', so nothing was done; there are: image." in found.stderr


def test_without_an_instance_nothing_can_be_told(project: ImageProject, monkeypatch: pytest.MonkeyPatch) -> None:
    assert project.root.exists()
    monkeypatch.delenv("DAGSTER_HOME")
    assert "export DAGSTER_HOME=" in call("resume image").stderr
