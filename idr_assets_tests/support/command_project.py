"""A project of the small image in which a test calls `idr-assets`, with an instance that DAGSTER_HOME names."""

import sys
from pathlib import Path

import dagster as dg
import pytest
from click.testing import CliRunner, Result

from idr_assets.command_line import main
from idr_assets_tests.support.image_project import ImageProject
from idr_assets_tests.support.small_image import PARTITIONS, Segmented, write_project


def enter_project(folder: Path, monkeypatch: pytest.MonkeyPatch) -> ImageProject:
    """Write a project and an instance, and go there as a user does."""
    project = write_project(folder / "to_resume")
    project.write_definitions()
    (folder / "home").mkdir()
    monkeypatch.setenv("DAGSTER_HOME", str(folder / "home"))
    monkeypatch.delenv("IDR_ASSETS_DATA", raising=False)
    monkeypatch.chdir(project.root)
    monkeypatch.syspath_prepend(str(project.root))
    forget_project(monkeypatch)
    return project


def forget_project(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the next command load the definitions again, as another process does."""
    for module in [name for name in sys.modules if name.partition(".")[0] == "to_resume"]:
        monkeypatch.delitem(sys.modules, module)


def call(command: str, answer: str | None = None) -> Result:
    """Call `idr-assets` in this process."""
    return CliRunner().invoke(main, [*command.split(), "--module", "to_resume.definitions"], input=answer)


def segment(project: ImageProject) -> None:
    """Make the planes alone, without figures and objects."""
    with dg.DagsterInstance.get() as instance:
        assert Segmented(project, instance).run("plane_labels", PARTITIONS[0], PARTITIONS[-1]) == ""
