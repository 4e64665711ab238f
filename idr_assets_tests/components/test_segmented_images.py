"""A list of images: what becomes of its rows, and what a wrong row costs."""

import logging
from pathlib import Path

import dagster as dg
import pytest

from idr_assets.orchestration.image import Image
from idr_assets_tests.support.image_project import ImageProject

COMMON = "  level: '0'\n  shape: [12, 2, 16, 128, 135]\n  window: {t: [1, 2], z: [3, 4]}\n"


def write_list(project: ImageProject, images: str, table: str = "", common: str = COMMON) -> Path:
    """Write a project whose YAML is a list of images, beside it a table; give the path of the table."""
    project.write()
    project.yaml.write_text(f"type: idr_assets.SegmentedImages\nattributes:\n{common}  images: {images}\n")
    path = project.yaml.with_name("images.csv")
    path.write_text(table)
    return path


def listed(definitions: dg.Definitions) -> dict[str, Image]:
    """Give the images of the list by name."""
    return {image.name: image for image in (definitions.resources or {})["image_io"].images}


def refusal(project: ImageProject) -> str:
    with pytest.raises(Exception, match="Error while") as raised:
        project.load()
    return str(raised.value.__cause__)


def test_each_row_is_an_image_with_assets_of_its_own(project: ImageProject) -> None:
    second = "{name: b, url: 'https://127.0.0.1/b.zarr', level: 3, channels: [1], published: true}"
    write_list(project, f"[{{name: a, url: a.zarr}}, {second}]")
    definitions = project.load()
    images = listed(definitions)
    assert [(it.address, it.level, it.channels, it.t) for it in images.values()] == [
        ("a.zarr", "0", (0,), range(1, 3)),
        ("https://127.0.0.1/b.zarr", "3", (1,), range(1, 3)),
    ]
    made = {key.to_user_string() for key in definitions.resolve_all_asset_keys()}
    assert {"a/plane_labels", "b/plane_labels", "a/objects", "b/source_image", "b/published"} <= made
    assert "a/published" not in made
    automated = [it.name for it in (*(definitions.schedules or ()), *(definitions.sensors or ()))]
    assert automated == ["missing_image", "watch_image", "refresh_image"]
    dg.Definitions.validate_loadable(definitions)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_table_of_images(project: ImageProject, separator: str) -> None:
    rows = [
        ("\ufeffname", "url", "level", "window", "treatment"),
        ("B02", "a.zarr", "", "", "drug"),
        ("B03", "b.zarr", "007", '"{t: all, z: [0, 0]}"', ""),
    ]
    write_list(project, "images.csv", "\r\n".join(map(separator.join, rows)) + "\r\n\r\n")
    images = listed(project.load())
    assert [(it.level, it.t, it.z) for it in images.values()] == [
        ("0", range(1, 3), range(3, 5)),
        ("007", range(12), range(1)),
    ]


def test_an_address_of_its_own_replaces_that_of_the_list(project: ImageProject) -> None:
    common = COMMON + "  endpoint: 'https://127.0.0.1/{image_id}.zarr'\n  segmentation: {parameters: {sigma: 2}}\n"
    images = "[{name: a, image_id: 7}, {name: b, url: b.zarr, segmentations: {low: {}, high: {}}}]"
    write_list(project, images, common=common)
    found = listed(project.load())
    assert [it.address for it in found.values()] == ["https://127.0.0.1/7.zarr", "b.zarr"]
    assert [it.segmentation for it in found.values()] == [None, "high"]


WRONG = {
    "a b,b.zarr,0,": "`name` is 'a b', but keys of assets take letters, digits and _ only; write for example a_b",
    "first,b.zarr,0,": "has the same name, 'first', and the outputs of both would mix; rename one",
    "FIRST,b.zarr,0,": "has the same name, 'FIRST', and the outputs of both would mix; rename one",
    "b,,0,": "the image needs one address, but has none; set either `url`, or both `image_id` and `endpoint`",
    'b,b.zarr,0,"[0, 9]"': "channels: the image has channels 0 to 1; name each wanted one once",
    "b,b.zarr,0,[0": "channels is '[0', which is no YAML; write it as in a YAML file",
    "b,b.zarr,0,[0, 1]": "it has 1 more cells than columns; put cells that contain the separator in quotes",
    "b,{{ env.NO_SUCH_VARIABLE }},0,": "{{ env.NO_SUCH_VARIABLE }} in attributes.images.url",
    "b,{{ 1 + 1 }},0,": "is a template that could run code, and is not filled in",
}


def test_a_wrong_row_is_named_with_its_line_and_costs_that_row(
    project: ImageProject, caplog: pytest.LogCaptureFixture
) -> None:
    lines = ["name,url,level,channels", "first,a.zarr,0,", *WRONG, "last,a.zarr,0,"]
    path = write_list(project, "images.csv", "\n".join(lines))
    with caplog.at_level(logging.WARNING):
        assert list(listed(project.load())) == ["first", "last"]
    (warning,) = [record.getMessage() for record in caplog.records if "not loaded" in record.getMessage()]
    told = warning.splitlines()
    assert told[0] == "Images of image that are not loaded:"
    for number, (line, expected) in enumerate(zip(told[1:], WRONG.values(), strict=True), 3):
        assert line.startswith(f"{path}:{number}: ")
        assert expected in line


def test_rows_in_the_yaml_are_named_with_their_line(project: ImageProject, caplog: pytest.LogCaptureFixture) -> None:
    write_list(project, "\n  - {name: a, url: a.zarr}\n  - {name: b, url: b.zarr, chanels: [0]}")
    assert list(listed(project.load())) == ["a"]
    assert f"attributes.images.1 at {project.yaml}:8: 'chanels' is not a field; write 'channels'" in caplog.text


@pytest.mark.parametrize(
    ("images", "table", "expected"),
    [
        ("nowhere.csv", "", "nowhere.csv cannot be read"),
        ("images.csv", "url\na.zarr\n", "images.csv:1 names the columns ['url']. Write `name`, `url` and others"),
        ("images.csv", "name,url\n,a.zarr\n", "No image of image can be loaded"),
        ("images.csv", "name,url,automation\na,a.zarr,{}\n", "'automation' is for the whole list"),
        ("[]", "", "images"),
    ],
)
def test_a_list_without_images_is_refused(project: ImageProject, images: str, table: str, expected: str) -> None:
    write_list(project, images, table)
    assert expected in refusal(project)


def test_what_is_wrong_for_all_images_is_an_error_of_the_yaml(project: ImageProject) -> None:
    write_list(project, "[{name: a, url: a.zarr}]", common=COMMON + "  segmentation: {parameters: {sigma: -1}}\n")
    message = refusal(project)
    assert f"{project.yaml}:6" in message
    assert "does not take -1 as sigma" in message


def test_a_name_of_another_yaml_costs_the_row(project: ImageProject, caplog: pytest.LogCaptureFixture) -> None:
    write_list(project, "[{name: a, url: a.zarr}, {name: aa, url: a.zarr}]")
    other = ImageProject(project.root, "aa")  # the folder before `image`
    other.write()
    assert [image.list_name for image in listed(project.load()).values()] == [None, "image"]
    assert f"{other.yaml} has the same name, 'aa'" in caplog.text
