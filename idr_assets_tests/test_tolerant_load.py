"""A YAML that is wrong costs what it defines alone, where Dagster allows that."""

import logging
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from idr_assets.imaging.errors import ImageError
from idr_assets.project import find_image
from idr_assets.tolerant_load import BROKEN_YAML, load_project
from idr_assets_tests.support.image_project import ImageProject


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ImageProject:
    """Write a project of two images, one with a wrong channel, whose wrong YAML is skipped."""
    project, wrong = ImageProject(tmp_path, "right"), ImageProject(tmp_path, "plates/wrong")
    wrong.write(channels="[7]")
    project.write()
    monkeypatch.syspath_prepend(str(project.root))
    monkeypatch.setenv(BROKEN_YAML, "skip")
    return project


def test_the_others_load_and_the_wrong_one_is_named(project: ImageProject, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        definitions = load_project(project.yaml)
    assert {key.path[0] for key in definitions.resolve_all_asset_keys()} == {"right"}
    assert set(definitions.resources or ()) == {"image_io", "dask"}
    (message,) = [record.getMessage() for record in caplog.records]
    assert message.startswith(f"{project.package}/defs/plates/wrong is not loaded, all else is: ")
    assert "the image has channels 0 to 1; name each wanted one once" in message
    assert f"{project.package}/defs/plates/wrong/defs.yaml:6" in message
    with pytest.raises(ImageError, match=r"^The YAML of wrong cannot be loaded, so nothing was done: (.|\n)*yaml:6"):
        find_image(definitions, "wrong")


def test_functions_may_stand_beside_the_project_wherever_it_is_loaded(
    project: ImageProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [each for each in sys.path if each != str(project.root)])
    (project.root / "steps_of_mine.py").touch()
    load_project(project.yaml)
    assert find_spec("steps_of_mine")


def test_commands_of_dagster_fail_by_it(project: ImageProject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(BROKEN_YAML)
    with pytest.raises(Exception, match="Error while loading component"):
        load_project(project.yaml)


@pytest.mark.parametrize("text", ["{", "type: idr_assets.SegmentdImage\n"])
def test_a_yaml_that_dagster_cannot_read_keeps_all_from_loading(
    project: ImageProject, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    wrong = project.package / "defs/plates/wrong/defs.yaml"
    wrong.write_text(text)
    with pytest.raises(Exception, match=r"flow node|no attribute") as raised:
        load_project(project.yaml)
    (message,) = [record.getMessage() for record in caplog.records]
    assert message.startswith("Dagster reads all YAML files before it loads any, and one cannot be read")
    assert str(wrong) in f"{message}{raised.value}"
