"""Images as other tools write them, and arrays that are no image: what an address may be."""

from itertools import repeat
from pathlib import Path
from typing import Any, Literal
from zipfile import ZipFile

import numpy as np
import numpy.typing as npt
import pytest
import zarr
from ome_zarr.format import FormatV04, FormatV05
from ome_zarr.writer import write_image

from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.reading.bare_arrays import BareArrayError
from idr_assets.imaging.reading.level import open_level
from idr_assets.imaging.reading.survey import survey_levels
from idr_assets_tests.support.store_faults import html_page
from idr_assets_tests.support.store_server import StoreServer

PIXELS = np.arange(640, dtype="uint16").reshape(2, 2, 2, 8, 10)
LEVELS = {
    **dict.fromkeys(("ngff_0.4.zarr", "ngff_0.5.zarr", "ngff_0.6.zarr"), "scale0/image"),
    **dict.fromkeys(("bioio_2.zarr", "bioio_3.zarr"), "0"),
}


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("images")
    with ZipFile(Path(__file__).parents[2] / "data/other_writers.zip") as archive:
        archive.extractall(folder)
    return folder


@pytest.mark.parametrize("name", LEVELS)
def test_what_other_writers_make_is_read(images: Path, name: str) -> None:
    (level,) = survey_levels(str(images / name))
    assert (level.path, level.shape) == (LEVELS[name], PIXELS.shape)
    np.testing.assert_array_equal(pixels(level), PIXELS)
    assert level.geometry.scale == (30, 1, 2, 0.5, 0.5)
    assert level.geometry.units == ("second", None, "micrometer", "micrometer", "micrometer")
    named = [channel.name for channel in level.geometry.channels]
    assert named == (["DAPI", "GFP"] if name.startswith("bioio") else [])


@pytest.mark.parametrize("written", [FormatV04(), FormatV05()])
@pytest.mark.parametrize("slash", ["", "/"])
def test_names_with_blanks_and_umlauts_are_read_as_they_are_and_encoded(
    tmp_path: Path, written: FormatV04 | FormatV05, slash: str
) -> None:
    write_image(PIXELS, str(tmp_path / "Zelle 1 ä.zarr"), fmt=written, axes="tczyx", scale_factors=[])
    with StoreServer(tmp_path) as server:
        for name in ("Zelle 1 ä.zarr", "Zelle%201%20%C3%A4.zarr"):
            (level,) = survey_levels(f"{server.url}/{name}{slash}")
            np.testing.assert_array_equal(pixels(level), PIXELS)


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_an_array_without_metadata_is_read_by_the_axes_that_a_person_names(
    tmp_path: Path, zarr_format: Literal[2, 3]
) -> None:
    stack = PIXELS[0, 0]
    zarr.create_array(tmp_path / "folder/a stack.zarr", data=stack, chunks=(1, 8, 10), zarr_format=zarr_format)
    with StoreServer(tmp_path) as server:
        for url in (f"{tmp_path}/folder", f"{server.url}/folder"):
            with pytest.raises(BareArrayError, match=r"`level: 'a stack.zarr'`, .* `axes: \[z, y, x\]`") as error:
                survey_levels(f"{url}/a stack.zarr")
            assert f"Write `url: {url}`" in str(error.value)
            (level,) = survey_levels(f"{url}/a stack.zarr", axes="zyx")
            assert (level.address, level.path, level.shape) == (url, "a stack.zarr", (1, 1, 2, 8, 10))
            np.testing.assert_array_equal(pixels(level)[0, 0], stack)
            level = open_level(url, "a stack.zarr", axes="xyz"[::-1])
            assert level.geometry.scale == (None,) * 5


def test_an_array_in_a_group_without_metadata_is_read_by_its_level_and_axes(tmp_path: Path) -> None:
    zarr.create_group(tmp_path / "group", zarr_format=2).create_array("a/stack", data=PIXELS[0, 0])
    with StoreServer(tmp_path) as server:
        server.faults["/group"] = repeat(html_page)  # as servers list a folder
        for url in (f"{tmp_path}/group", f"{server.url}/group"):
            (level,) = survey_levels(url, axes="zyx", level="a/stack")
            assert (level.address, level.path, level.shape) == (url, "a/stack", (1, 1, 2, 8, 10))
            for wrong in ("stack", None):
                with pytest.raises(ImageError, match=r"has no `multiscales`.* path as `level`, and its `axes`"):
                    survey_levels(url, axes="zyx", level=wrong)


def test_too_few_axes_are_for_the_person_to_mend(tmp_path: Path) -> None:
    zarr.create_array(tmp_path / "stack.zarr", data=PIXELS[0, 0])
    with pytest.raises(ImageError, match=r"has 3 dimensions, .* 2 axes, .* nothing is read\. Write one axis for each"):
        survey_levels(str(tmp_path / "stack.zarr"), axes="yx")


def test_dimensions_that_are_named_need_no_axes(tmp_path: Path) -> None:
    zarr.create_array(tmp_path / "stack.zarr", data=PIXELS[0, 0], dimension_names=["Z", "y", "x"])
    assert survey_levels(str(tmp_path / "stack.zarr"))[0].geometry.axes == ("z", "y", "x")


def test_axes_of_an_image_are_its_own(images: Path) -> None:
    with pytest.raises(ImageError, match=r"Level '0' of .* has OME-Zarr metadata, which say its axes"):
        open_level(str(images / "bioio_3.zarr"), "0", axes="xyzct")
    with pytest.raises(ImageError, match="which say its axes, so nothing was written"):
        survey_levels(str(images / "bioio_3.zarr"), axes="tczyx", level="0")
    with pytest.raises(ImageError, match="leads into the image"):
        survey_levels(str(images / "bioio_3.zarr/0"), axes="tczyx")


def pixels(level: Any) -> npt.NDArray[Any]:  # noqa: ANN401
    found: npt.NDArray[Any] = level.lazy().compute(scheduler="sync")
    return found
