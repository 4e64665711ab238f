"""Where an image lies and where its outputs go."""

from pathlib import Path

import pytest

from idr_assets.imaging.planes import Plane
from idr_assets.orchestration.data_folder import data_url
from idr_assets_tests.support.small_image import small_image


def test_outputs_go_to_the_data_folder_of_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDR_ASSETS_DATA", "")
    assert data_url(Path("/project")) == "/project/data"
    monkeypatch.delenv("IDR_ASSETS_DATA")
    image = small_image()
    assert data_url(Path("/project")) == "/project/data"
    assert image.labels_url == "/project/data/image.ome.zarr"
    assert image.montage_url == "/project/data/image/montage.png"
    assert image.browser_url == "/project/data/image/planes.html"


@pytest.mark.parametrize("data", ["/elsewhere", "/elsewhere/", "s3://bucket/folder", "memory://"])
def test_idr_assets_data_takes_the_place_of_the_data_folder(data: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDR_ASSETS_DATA", data)
    folder = data if data.endswith("/") else f"{data}/"
    assert small_image().labels_url == f"{folder}image.ome.zarr"
    assert small_image().url == f"{folder}source.zarr"
    assert small_image(address="below/it.zarr").url == f"{folder}below/it.zarr"


@pytest.mark.parametrize(("data", "folder"), [("~/results", "/home/me/results"), ("results", "/working/results")])
def test_a_path_is_that_of_the_home_or_working_folder(
    data: str, folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "working").mkdir()
    monkeypatch.chdir(tmp_path / "working")
    monkeypatch.setenv("HOME", f"{tmp_path}/home/me")
    monkeypatch.setenv("IDR_ASSETS_DATA", data)
    assert small_image().labels_url == f"{tmp_path}{folder}/image.ome.zarr"


@pytest.mark.parametrize("address", ["/absolute/a.zarr", "https://127.0.0.1/a.zarr", "s3://bucket/a.zarr"])
def test_a_whole_address_stays_as_it_is(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDR_ASSETS_DATA", "/elsewhere")
    assert small_image(address=address).url == address


def test_the_middle_is_a_plane_of_the_window_and_of_the_first_channel() -> None:
    image = small_image(t=range(261, 271), z=range(489, 499), channels=(1, 0))
    assert image.window.middle.planes() == [Plane(266, 1, 494)]
    assert small_image(t=range(3, 4), z=range(7, 8)).window.middle.planes() == [Plane(3, 0, 7)]


@pytest.mark.parametrize(
    ("address", "pool"),
    [
        ("https://user:secret@store-1.example.org:8000/a.zarr", "store_1_example_org"),
        ("s3://bucket/folder/a.zarr", "bucket"),
        ("/absolute/a.zarr", "local"),
        ("below/a.zarr", "local"),
        ("file:///absolute/a.zarr", "local"),
    ],
)
def test_images_of_one_store_share_a_pool(address: str, pool: str) -> None:
    assert small_image(address=address).pool == pool
