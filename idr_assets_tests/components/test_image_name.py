"""The name of an image: that of the folder of its YAML, and no other image's."""

import re
from pathlib import Path

import pytest

from idr_assets_tests.support.image_project import ImageProject


def test_folder_names_the_image(tmp_path: Path) -> None:
    project = ImageProject(tmp_path, "1x_mouse")
    project.write()
    keys = project.load().resolve_all_asset_keys()
    assert {key.path[0] for key in keys} == {"1x_mouse"}


@pytest.mark.parametrize("name", ["a b", "a-b", "häkel"])
def test_folder_that_cannot_name_an_image(tmp_path: Path, name: str) -> None:
    project = ImageProject(tmp_path, name)
    project.write()
    with pytest.raises(Exception, match=r"defs\.yaml \(SegmentedImage\) \(error\)") as raised:
        project.load()
    assert f"names the image {name!r}" in str(raised.value.__cause__)
    assert "letters, digits and _ only. Rename the folder, for example to " in str(raised.value.__cause__)


def refusal(project: ImageProject) -> str:
    """Load a project that is refused, and give the message that Dagster prints last."""
    with pytest.raises(Exception, match="Error while building definitions for") as raised:
        project.load()
    return str(raised.value.__cause__)


def test_images_of_one_name_are_refused_by_their_files(tmp_path: Path) -> None:
    plates = [ImageProject(tmp_path, f"plate{number}/B03") for number in (1, 2)]
    for plate in plates:
        plate.write()
    first, second = (plate.yaml for plate in plates)
    message = refusal(plates[0])
    assert f"{first} and {second} describe images of the same name, 'B03'" in message
    assert re.search(r"for example to plate[12]_B03\.", message)


def test_two_images_in_one_file_are_refused(tmp_path: Path) -> None:
    project = ImageProject(tmp_path)
    project.write()
    project.yaml.write_text("---\n".join([project.yaml.read_text()] * 2))
    assert f"{project.yaml} and {project.yaml} describe images of the same name, 'image'" in refusal(project)
