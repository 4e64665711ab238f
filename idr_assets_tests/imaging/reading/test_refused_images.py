"""Addresses and levels that are refused, and what the message says."""

from pathlib import Path

import numpy as np
import pytest

from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.reading.level import open_level
from idr_assets.imaging.store_text import quote
from idr_assets_tests.support.idr_stores import edit_metadata, write_image
from idr_assets_tests.support.store_server import StoreServer


def refusal(url: str, level: str = "0") -> str:
    with pytest.raises(ImageError) as error:
        open_level(url, level)
    return str(error.value)


def test_an_address_without_an_image_is_refused(tmp_path: Path, address: str) -> None:
    for url in (address.replace("image.zarr", "none"), str(tmp_path / "none"), (tmp_path / "none").as_uri()):
        assert refusal(url) == (
            f"No Zarr group at {url}: nothing can be read. Check `url`; a relative path is below IDR_ASSETS_DATA."
        )


def test_a_group_that_is_no_image_is_refused(image: Path, address: str) -> None:
    (image / ".zattrs").write_text('{"about": {}, "ome": {"creator": 1}}')
    assert refusal(address) == (
        f"The Zarr group at {address} has no `multiscales`: it is not an OME-Zarr image. "
        "Its keys: ['about', 'creator']. To read a plain array in it, name its path as `level`, and its `axes`."
    )


def test_a_level_that_is_not_listed_is_refused_with_those_that_are(image: Path, address: str) -> None:
    edit_metadata(image / ".zattrs", datasets=[{"path": "1"}, {"path": "0"}])
    assert refusal(address, "4") == (
        f"Level '4' is not in the multiscales of {address}. Set `level` to one of ['1', '0']."
    )


def test_a_level_that_is_listed_but_not_there_is_refused(image: Path, address: str) -> None:
    edit_metadata(image / ".zattrs", datasets=[{"path": "1"}])
    assert refusal(address, "1") == (
        f"Level '1' is listed in the multiscales of {address}, but there is no array at {address}/1."
    )


OUTSIDE = ["../../other.zarr/0", "0/../../../other.zarr/0", "..\\..\\other.zarr\\0", "/other.zarr/0", "other.zarr//0"]
OUTSIDE += ["%2e%2e/%2e%2e/other.zarr/0", ".%2E/.%2E/other.zarr/0", "..%2f..%2fother.zarr/0", "%252e%252e/0"]
OUTSIDE += ["0?x=1", "0#x", "0::file:///other.zarr/0", "http://127.0.0.1:1/0", "", ".", "..", "0/", "0\n", "0\0"]


@pytest.mark.parametrize("level", OUTSIDE)
def test_a_level_that_may_lie_outside_of_the_image_is_refused(tmp_path: Path, level: str) -> None:
    write_image(tmp_path / "other.zarr", np.ones((1, 1, 2, 20, 30), ">u2"), version="0.4")
    image = write_image(tmp_path / "folder/image.zarr", np.ones((1, 1, 2, 20, 30), ">u2"), version="0.4")
    edit_metadata(image / ".zattrs", datasets=[{"path": level}])
    with StoreServer(tmp_path) as server:
        for url in (str(image), f"{server.url}/folder/image.zarr"):
            assert refusal(url, level).startswith(
                f"Level {quote(level)} is not a path below {url}: pixels might come from"
            )
        assert server.requests == []
