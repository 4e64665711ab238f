"""The command `idr-assets add`: from an address to a YAML that loads, or a message, and nothing in between."""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import zarr
from click import ClickException
from click.testing import CliRunner, Result
from PIL import Image

from idr_assets.command_line import main
from idr_assets.commands.new_name import check_new_name
from idr_assets.components.image_rows import Row
from idr_assets.imaging.wells import list_fields, parse_wells
from idr_assets_tests.support.idr_stores import nuclei_plane, write_image
from idr_assets_tests.support.image_project import ImageProject
from idr_assets_tests.support.plate_stores import write_plate
from idr_assets_tests.support.store_server import StoreServer

PIXELS = np.array([[[nuclei_plane(t, 0, z, (90, 100)) for z in range(3)]] for t in range(2)])


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ImageProject:
    """Give a project, and go there as a user does."""
    project = ImageProject(tmp_path / "study", "embryo")
    ImageProject(project.root).write()
    monkeypatch.setattr(sys, "path", [*sys.path])  # the command puts the current folder there
    monkeypatch.chdir(project.root)
    return project


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve an image, and other things."""
    root = tmp_path_factory.mktemp("www")
    write_image(root / "an embryo é.zarr", PIXELS, version="0.5")
    (root / "page.html").write_text('<!doctype html><a href="./an%20embryo%20%C3%A9.zarr/">x</a><a href="#">y</a>')
    with StoreServer(root) as server:
        yield server.url


def add(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["add", *arguments])


def test_an_address_becomes_an_image_that_loads(project: ImageProject, url: str) -> None:
    found = add("embryo", f"{url}/an%20embryo%20%C3%A9.zarr/", "--window", "{z: [0, 1]}", "--look")
    assert found.exit_code == 0, found.output
    assert "wrote: study/defs/embryo/defs.yaml\n" in found.stdout
    assert found.stdout.endswith("next: dg launch --job segment_embryo && dg launch --job measure_embryo\n")
    with Image.open(project.yaml.with_name("look.png")) as picture:
        assert picture.size[0] > 2000
    assert f"{PIXELS.shape[3]} x {PIXELS.shape[4]} pixels" in project.yaml.read_text()
    image = (project.load().resources or {})["image_io"].images[0]
    assert (image.t, image.z) == (range(2), range(2))
    image.source.check(image.source.open())


def test_a_name_that_is_taken_is_replaced_by_force_alone(project: ImageProject, url: str) -> None:
    project.yaml.parent.mkdir(parents=True)
    project.yaml.write_text("mine")
    address = f"{url}/an embryo é.zarr"
    refused = add("embryo", address)
    assert (refused.exit_code, project.yaml.read_text()) == (1, "mine")
    assert (
        "There is an image or a list 'embryo' already, in study/defs/embryo/defs.yaml, so nothing was written."
        in refused.stderr
    )
    assert add("embryo", address, "--force").exit_code == 0
    assert "type: idr_assets.SegmentedImage" in project.yaml.read_text()


def test_axes_are_taken_as_a_yaml_has_them(project: ImageProject, tmp_path: Path) -> None:
    zarr.create_array(tmp_path / "stack.zarr", data=PIXELS[0, 0])
    found = add("embryo", str(tmp_path / "stack.zarr"), "--axes", "[z, y, x]")
    assert found.exit_code == 0, found.output
    image = next(it for it in (project.load().resources or {})["image_io"].images if it.name == "embryo")
    assert image.shape == (1, 1, 3, 90, 100)


@pytest.mark.parametrize("kind", ["DaskCluster", "SegmentedImages"])
def test_the_cluster_and_a_list_are_never_replaced(tmp_path: Path, kind: str) -> None:
    yaml = tmp_path / "embryo/defs.yaml"
    yaml.parent.mkdir()
    yaml.write_text(f"type: idr_assets.{kind}\n")
    with pytest.raises(ClickException, match=r"'embryo' already, in .*Choose another name\.$"):
        check_new_name(tmp_path, "embryo", force=True)


def test_a_plate_becomes_a_yaml_with_all_of_its_wells(project: ImageProject, tmp_path: Path) -> None:
    fields = list_fields(parse_wells(["B02:C03"]), [0, 1])
    found = add("embryo", str(write_plate(tmp_path / "plate.zarr", fields, version="0.5")), "--channel", "1")
    assert found.exit_code == 0, found.output
    assert "A plate. Wells: 4 (B02:C03). Fields: 8. A field:" in found.stdout
    plate = next(it for it in (project.load().resources or {})["image_io"].images if it.name == "embryo")
    assert (plate.fields, plate.channels, plate.shape[1:]) == (fields, (1,), (2, 2, 40, 36))
    assert plate.source.open().fields.keys() == set(range(8))
    listed = project.yaml.with_name("fields.csv")
    assert listed.read_text() == "well,fields\n" + "".join(f"{well},0-1\n" for well in ("B02", "B03", "C02", "C03"))
    well = tmp_path / "plate.zarr/C/3/zarr.json"
    well.write_text(well.read_text().replace('"path": "1"', '"path": "7"'))
    (tmp_path / "plate.zarr/B/3/zarr.json").unlink()
    found = CliRunner().invoke(main, ["refresh", "embryo"])
    assert found.stdout.splitlines()[-2:] == [
        "wrote: study/defs/embryo/fields.csv (1 new, 3 gone)",
        "next: idr-assets resume embryo",
    ]
    assert "note: well B03 is left out: No Zarr group at" in found.stdout
    assert listed.read_text() == "well,fields\nB02,0-1\nC02,0-1\nC03,0 7\n"
    for each in ("B/2", "C/2", "C/3"):
        (tmp_path / f"plate.zarr/{each}/zarr.json").unlink()
    assert "its first well, B02: No Zarr group at" in CliRunner().invoke(main, ["refresh", "embryo"]).stderr
    for name, what in (("image", "image is an image or a list of images, not a plate"), ("b", "There is no plate 'b'")):
        refused = CliRunner().invoke(main, ["refresh", name]).stderr
        assert f"{what}, so nothing was written. Choose from: embryo." in refused
    (tmp_path / "plate.zarr").rename(tmp_path / "away")
    assert f"at {tmp_path}/plate.zarr, the address in" in CliRunner().invoke(main, ["refresh", "embryo"]).stderr


WRONG = [
    ("page.html", "Write the address of one of those that it lists: {}/an%20embryo%20%C3%A9.zarr."),
    ("an embryo é.zarr/0", "write `url: {}/an embryo é.zarr` and `level: '0'`."),
    ("nowhere", "No Zarr group at {}/nowhere"),
    ("http://[bad", "The address of the image cannot be understood"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "message"), WRONG)
def test_a_wrong_address_names_the_right_one_and_leaves_nothing(
    project: ImageProject, url: str, path: str, message: str
) -> None:
    found = add("embryo", path if "://" in path else f"{url}/{path}")
    assert found.exit_code == 1
    assert message.format(url) in found.stderr
    assert not project.yaml.parent.exists()


def test_a_name_that_no_image_can_have_is_refused(project: ImageProject) -> None:
    assert project.root.exists()
    assert "'a-b' cannot name an image" in add("a-b", "image.zarr").stderr
    assert "is no mapping; write it as in a YAML" in add("a", "image.zarr", "--window", "[0, 9]").stderr


def add_list(table: Path, *arguments: str) -> Result:
    return add("--list", str(table), *arguments)


def test_addresses_become_a_list_and_a_wrong_one_leaves_the_others(project: ImageProject, url: str) -> None:
    table, good = project.yaml.with_name("images.csv"), f"{url}/an%20embryo%20%C3%A9.zarr"
    found = add_list(table, good, f"{url}/nowhere", f"{good}/", "--channel", "0")
    assert found.exit_code == 1
    assert found.stderr.startswith(f"address 2: No Zarr group at {url}/nowhere")
    assert "an_embryo__: level 0, channel 0, t 0 to 1, z 0 to 2: 6 planes\n" in found.stdout
    assert found.stdout.endswith("next: idr-assets resume embryo\n")
    assert table.read_text() == f"name,url\nan_embryo__,{good}\nan_embryo___2,{good}/\n"
    images = [image for image in (project.load().resources or {})["image_io"].images if image.list_name]
    assert [(image.name, image.shape, image.window.c) for image in images] == [
        ("an_embryo__", (2, 1, 3, 90, 100), (0,)),
        ("an_embryo___2", (2, 1, 3, 90, 100), (0,)),
    ]
    again = add_list(table, good).stdout
    assert again.startswith(f"address 1: {good} is in the list already, as an_embryo__\n")
    assert "so nothing was written" in again


def test_a_list_takes_no_name_that_another_image_has(project: ImageProject, url: str) -> None:
    good = f"{url}/an%20embryo%20%C3%A9.zarr"
    assert add("an_embryo__", good).exit_code == 0
    table = project.yaml.with_name("images.csv")
    table.parent.mkdir()
    table.write_text(f"name,url\nAn_embryo__,{good}?\n")
    found = add_list(table, good)
    assert "images.csv:2: there is an image or a list 'An_embryo__' already, in" in found.stderr
    assert table.read_text().splitlines()[2].startswith("an_embryo___2,")
    refused = add("an_embryo___2", good, "--force")
    assert "There is an image or a list 'an_embryo___2' already, in study/defs/embryo/defs.yaml" in refused.stderr


def test_rows_of_a_table_are_filled_beside_what_they_say(project: ImageProject, url: str) -> None:
    table, good = project.yaml.with_name("images.tsv"), f"{url}/an embryo é.zarr"
    table.parent.mkdir(parents=True)
    first, wrong = f"a\t{good}\t{{z: [1, 1]}}\tnone", f"b\t{url}/page.html\t\tDMSO"
    table.write_text(f"name\turl\twindow\tdrug\n{first}\n{wrong}\nc\t{good}\n")
    found = add_list(table)
    assert (found.exit_code, found.stderr.count("\n")) == (1, 1)
    assert found.stderr.startswith(f"{table}:3: ")
    assert table.read_text().splitlines()[1:] == [first, wrong, f"c\t{good}\t{{t: all, z: all}}\t"]
    a, _, c = (image for image in (project.load().resources or {})["image_io"].images if image.list_name)
    assert (a.shape, a.z, c.shape, c.z) == ((2, 1, 3, 90, 100), range(1, 2), (2, 1, 3, 90, 100), range(3))


def test_a_table_where_no_list_can_be_is_refused(project: ImageProject) -> None:
    outside = add_list(project.root / "images.csv", "a.zarr")
    assert (outside.exit_code, "name for example study/defs/screen/images.csv" in outside.stderr) == (1, True)
    project.write()
    assert "is no list with `images: images.csv`" in add_list(project.yaml.with_name("images.csv"), "a.zarr").stderr
    assert "are for one image" in add_list(project.yaml.with_name("images.csv"), "a.zarr", "--look").stderr
    assert "Write a NAME and an ADDRESS" in add("a.zarr").stderr


def test_cells_that_a_person_wrote_stay() -> None:
    filled = Row("", {"shape": "[1]"}).fill({"shape": [2], "level": "0", "channels": [0, 1], "axes": None})
    assert filled.cells == {"shape": "[1]", "level": "0", "channels": "[0, 1]", "axes": "null"}
