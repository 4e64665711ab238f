"""Addresses of something else than an image: the message says what is there, and how to get to the image."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from ome_zarr.io import parse_url
from ome_zarr.writer import write_image as write_by_ome_zarr
from ome_zarr.writer import write_plate_metadata, write_well_metadata

from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.reading.level import open_level
from idr_assets_tests.support.idr_stores import Version, write_image
from idr_assets_tests.support.store_server import StoreServer

PIXELS = np.ones((1, 1, 1, 8, 9), "u2")
FOUR_FIVE: tuple[Version, ...] = ("0.4", "0.5")


def refusal(url: str, level: str = "0") -> str:
    with pytest.raises(ImageError) as error:
        open_level(url, level)
    message = str(error.value)
    assert message.isprintable()
    assert "\n" not in message
    return message


def write_group(folder: Path, version: Version, **metadata: Any) -> None:  # noqa: ANN401  any JSON
    """Make a group with OME-Zarr metadata."""
    attributes = {"ome": {"version": version, **metadata}} if version == "0.5" else metadata
    zarr.create_group(folder, zarr_format=3 if version == "0.5" else 2, attributes=attributes)


def write_plate(folder: Path, version: Version) -> None:
    wells = [{"path": f"{row}/{column}"} for row in "AB" for column in (1, 2)]
    write_group(folder, version, plate={"wells": wells})
    for well in ("A/1", "A/2"):
        write_group(folder / well, version, well={"images": [{"path": "field"}, {"path": "1"}]})
        write_image(folder / well / "field", PIXELS, version=version)


@pytest.mark.parametrize("version", FOUR_FIVE)
def test_a_plate_names_fields_of_its_first_wells(server: StoreServer, version: Version) -> None:
    write_plate(server.root / "plate.zarr", version)
    for url in (str(server.root / "plate.zarr"), f"{server.url}/plate.zarr"):
        assert refusal(url) == (
            f"{url} is a plate, which holds images but is not one itself: nothing is read. Write "
            f"the address of one of them as `url`: {url}/A/1/field, {url}/A/2/field, {url}/B/1/0. "
            "For all of its fields, write `type: idr_assets.SegmentedPlate`."
        )
        open_level(f"{url}/A/1/field", "0")
        for below in ("A", "C/7/0"):
            assert refusal(f"{url}/{below}").startswith(
                f"{url}/{below} is not an image, but lies below a group that holds some. {url} is a plate, which"
            )


def test_a_plate_of_ome_zarr_py_leads_to_its_fields(tmp_path: Path) -> None:
    store = parse_url(tmp_path / "plate.zarr", mode="w").store
    root = zarr.group(store=store)
    write_plate_metadata(root, ["A"], ["1"], ["A/1"])
    well = root.require_group("A").require_group("1")
    write_well_metadata(well, ["0"])
    write_by_ome_zarr(PIXELS, well.require_group("0"), axes="tczyx", scale_factors=[])
    for part in ("", "/A/1"):
        assert f"{tmp_path}/plate.zarr/A/1/0." in refusal(f"{tmp_path}/plate.zarr{part}")
    open_level(f"{tmp_path}/plate.zarr/A/1/0", "s0")


@pytest.mark.parametrize("version", FOUR_FIVE)
def test_a_well_names_its_fields(server: StoreServer, version: Version) -> None:
    write_plate(server.root / "plate.zarr", version)
    url = f"{server.url}/plate.zarr/A/1"
    assert refusal(url).endswith(f"Write the address of one of them as `url`: {url}/field, {url}/1.")
    assert refusal(url).startswith(f"{url} is a well of a plate, which holds images but is not one itself")


@pytest.mark.parametrize("version", FOUR_FIVE)
@pytest.mark.parametrize("listed", [True, False])
def test_the_root_of_a_conversion_names_its_images(server: StoreServer, version: Version, *, listed: bool) -> None:
    root = server.root / "converted.zarr"
    write_group(root, version, **{"bioformats2raw.layout": 3})
    if listed:
        write_group(root / "OME", version, series=["0", "1"])
    for number in ("0", "1"):
        write_image(root / number, PIXELS, version=version)
    url = f"{server.url}/converted.zarr"
    assert refusal(url) == (
        f"{url} is the root of a conversion by bioformats2raw, which holds images but is not one itself: nothing is "
        f"read. Write the address of one of them as `url`: {url}/0, {url}/1."
    )


def test_groups_of_labels_and_scenes_name_their_images(tmp_path: Path) -> None:
    write_group(tmp_path / "labels", "0.5", labels=["nuclei"])
    ends = {"input": {"path": "volume", "name": "a"}, "output": {"path": "crop", "name": "b"}}
    write_group(tmp_path / "scene", "0.5", scene={"coordinateTransformations": [{"type": "affine", **ends}]})
    assert refusal(str(tmp_path / "labels")).endswith(f"as `url`: {tmp_path}/labels/nuclei.")
    assert refusal(str(tmp_path / "scene")).endswith(f"as `url`: {tmp_path}/scene/volume, {tmp_path}/scene/crop.")


ODD: list[Any] = [5, "odd", [], [5], {"wells": 5}, {"wells": [{"path": "../../elsewhere"}]}, {"wells": [[]]}]


@pytest.mark.parametrize("plate", ODD)
def test_a_plate_that_names_no_well_says_so_and_asks_for_nothing_outside(server: StoreServer, plate: object) -> None:
    write_group(server.root / "folder/plate.zarr", "0.4", plate=plate)
    assert refusal(f"{server.url}/folder/plate.zarr").endswith("nothing is read. It names no image.")
    assert {path for _, path in server.requests if "/folder/plate.zarr/" not in path} == set()


@pytest.mark.parametrize("version", FOUR_FIVE)
@pytest.mark.parametrize("below", ["0", "0/", "0/0/0"])
def test_an_address_with_the_level_in_it_is_parted(server: StoreServer, version: Version, below: str) -> None:
    write_image(server.root / "image.zarr", PIXELS, version=version)
    for image in (str(server.root / "image.zarr"), f"{server.url}/image.zarr"):
        assert refusal(f"{image}/{below}") == (
            f"{image}/{below} is not an image, but leads into the image {image}: nothing is read. Its last part "
            f"belongs in `level`: write `url: {image}` and `level: '0'`."
        )


def test_a_level_of_several_parts_is_found_from_each(tmp_path: Path) -> None:
    image = write_image(tmp_path / "image.zarr", PIXELS, version="0.5")
    (image / "scale0").mkdir()
    shutil.move(image / "0", image / "scale0/image")
    document = image / "zarr.json"
    document.write_text(document.read_text().replace('"path": "0"', '"path": "scale0/image"'))
    for below in ("scale0", "scale0/image"):
        assert refusal(f"{image}/{below}").endswith(f"write `url: {image}` and `level: 'scale0/image'`.")
    assert refusal(f"{image}/zarr.json").endswith(f"Write `url: {image}`.")
    assert refusal(f"{image}/nowhere").endswith(f"Write `url: {image}`, and as `level` one of ['scale0/image'].")


def test_what_is_secret_in_an_address_is_in_no_message(server: StoreServer) -> None:
    write_image(server.root / "image.zarr", PIXELS, version="0.4")
    url = server.url.replace("://", "://user:secret@")
    assert "secret" not in refusal(f"{url}/image.zarr/0")
    write_plate(server.root / "plate.zarr", "0.4")
    assert "secret" not in refusal(f"{url}/plate.zarr")


FILES = {
    "image.ome.tiff": (b"II*\0", "is a TIFF file, not an OME-Zarr image: nothing can be read. Convert it"),
    "big": (b"MM\0+", "is a TIFF file"),
    "image.h5": (b"\x89HDF\r\n", "is an HDF5 file.*h5py"),
    "image.ims": (b"\x89HDF\r\n", "is an HDF5 file.*bioformats2raw"),
    "image.czi": (b"ZISRAWFILE", "is the file of a microscope.*bioformats2raw image.czi image.zarr.*url: image.zarr/0"),
    "image.zarr": (b"PK\3\4", r"is a ZIP archive.*ends in .ozx or .zip"),
    "image.txt": (b"text", "is a file, not an OME-Zarr image"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_another_format_is_named_with_what_converts_it(tmp_path: Path, name: str) -> None:
    content, message = FILES[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ImageError, match=message):
        open_level(str(tmp_path / name), "0")


@pytest.mark.parametrize("name", ["image.ome.tiff", "image.h5", "image.czi"])
def test_a_file_behind_http_is_named_by_its_address(server: StoreServer, name: str) -> None:
    (server.root / name).write_bytes(FILES[name][0])
    with pytest.raises(ImageError, match=FILES[name][1]):
        open_level(f"{server.url}/{name}", "0")


IDR = "https://idr.openmicroscopy.org"
PAGES = {
    f"{IDR}/webclient/?show=image-4007801": r"is a web page of the IDR.*look up image 4007801 in https://idr.github.io/.*"
    r"zarr/v0.4/idr0044A/4007801.zarr",
    f"{IDR}/webclient/img_detail/4007801/?dataset=1": "look up image 4007801",
    f"{IDR}/webclient/?show=project-51": "look up yours in",
    f"{IDR}/iviewer/?images=4007801,2": "look up image 4007801",
    "https://omero.example.org/webclient/?show=image-12": r"a web page of OMERO.*Image:12`.*`url: 12.zarr`",
    "https://omero.example.org/webgateway/render_image/12/0/0/": "omero zarr export Image:12",
    "https://omero.example.org/api/v0/m/images/12/": "omero zarr export Image:12",
    "https://omero.example.org/webclient/": "omero zarr export Image:ID",
    "https://ome.github.io/ome-ngff-validator/?source=https://host/a.zarr": "a viewer.*`url: https://host/a.zarr`",
    "https://hms-dbmi.github.io/vizarr/#/?source=https://host/a.zarr": "a viewer.*`url: https://host/a.zarr`",
    "https://kitware.github.io/itk-vtk-viewer/app/?fileToLoad=https://u:secret@host/a.zarr": r"`url: https://\*\*\*@host",
}


@pytest.mark.parametrize("url", PAGES)
def test_a_web_page_is_refused_before_it_is_asked(url: str) -> None:
    with pytest.raises(ImageError, match=PAGES[url]) as error:
        open_level(url, "0")
    assert "secret" not in str(error.value)
