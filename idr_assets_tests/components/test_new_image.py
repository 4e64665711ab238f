"""What is chosen for a new image, and how its address is written."""

import os
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml

from idr_assets.components.draft import draft_image
from idr_assets.components.new_address import place_address
from idr_assets.components.new_image import NewImage, choose_window
from idr_assets.imaging.errors import ImageError
from idr_assets_tests.support.large_image import write_large_image

WINDOWS = [
    ((10, 2, 10), {"t": "all", "z": "all"}),
    ((1, 1, 100), {"t": "all", "z": "all"}),
    ((1, 1, 101), {"t": "all", "z": [45, 54]}),
    ((10, 2, 11), {"t": "all", "z": [0, 9]}),
    ((532, 2, 988), {"t": [261, 270], "z": [489, 498]}),
]


@pytest.mark.parametrize(("shape", "window"), WINDOWS)
def test_a_window_is_all_of_few_planes_or_ten_by_ten_around_the_middle(shape: Sequence[int], window: object) -> None:
    assert choose_window(shape) == window


@pytest.fixture
def image(tmp_path: Path) -> str:
    return str(write_large_image(tmp_path / "image.zarr"))


def fields(image: str, **wishes: object) -> dict[str, object]:
    text = draft_image(NewImage.model_validate({"url": image, **wishes}), "embryo", Path(image).parent).text
    found: dict[str, object] = yaml.safe_load(text)["attributes"]
    return found


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_the_yaml_has_the_largest_level_of_4_megapixels_and_what_the_image_has(tmp_path: Path, version: str) -> None:
    image = str(write_large_image(tmp_path / "image.zarr", version=version))
    draft = draft_image(NewImage(url=image), "embryo", tmp_path)
    chosen = {"level": "1", "shape": [3, 2, 60, 1800, 2100], "dtype": "uint16", "channels": [0]}
    assert yaml.safe_load(draft.text)["attributes"].items() >= {"url": image, **chosen}.items()
    assert "# Of this image: 0 'DAPI' (#0000FF), 1 'GFP\\n  type: x'.\n" in draft.text
    assert "* 1 3, 2, 60, 1800, 2100 uint16 0.4 µm x 0.4 µm 360 7.56 MB" in " ".join(draft.report.split())
    assert "timepoints: 3, 30 s apart\nslices: 60, 2 µm apart" in draft.report
    assert "chosen: level 1, channel 0 'DAPI', t 0 to 2, z 25 to 34: 30 planes" in draft.report


def test_what_a_person_says_counts(image: str) -> None:
    said = {"level": "2", "channel": ["DAPI", 1], "window": {"t": [1, 1]}, "storage_options": {"anon": True}}
    assert fields(image, **said).items() >= {
        "level": "2", "shape": [3, 2, 60, 900, 1050], "channels": ["DAPI", 1], "window": {"t": [1, 1]},
        "storage_options": {"anon": True},
    }.items()  # fmt: skip
    watershed = "idr_assets.imaging.segmentation.otsu_watershed"
    assert fields(image, segmentation=watershed)["segmentation"] == {"function": watershed, "parameters": {}}


REFUSED = [
    ({"level": "7"}, r"Level '7' is not in the multiscales .* one of \['0', '1', '2'\]"),
    ({"channel": ["2"]}, r"has no channel '2', so nothing was written\. .*: 0 'DAPI', 1 'GFP"),
    ({"channel": ["dapi"]}, "has no channel 'dapi'"),
    ({"window": {"t": [0, 3]}}, "Nothing was written.* window: .*t ends at 3, but the shape has t 0 to 2"),
    ({"window": {"x": 1}}, r"window.x: .*this field does not exist; choose from: t, z"),
    ({"segmentation": "no.such"}, "segmentation.function: .*'no.such' cannot be imported"),
]


@pytest.mark.parametrize(("wish", "message"), REFUSED)
def test_what_the_image_lacks_is_refused_with_what_it_has(image: str, wish: dict[str, object], message: str) -> None:
    with pytest.raises(ImageError, match=message):
        fields(image, **wish)


def test_a_name_of_two_channels_is_refused(tmp_path: Path) -> None:
    image = write_large_image(tmp_path / "image.zarr", channels=[{"label": "GFP"}, {"label": "GFP"}])
    with pytest.raises(ImageError, match=r"several channels 'GFP', .*: 0 'GFP', 1 'GFP'"):
        fields(str(image), channel=["GFP"])


def test_a_secret_in_an_address_goes_into_a_variable() -> None:
    url = "https://user:pass-word@host/image.zarr?token=pass-word"
    read, written, export = place_address(url, "embryo", Path("/project"))
    assert (read, written) == (url, "{{ env('EMBRYO_URL', 'https://host/image.zarr') }}")
    assert export
    assert "pass-word" not in export
    assert place_address("s3://bucket/image.zarr", "embryo", Path("/project"))[1] == "s3://bucket/image.zarr"


def test_a_path_is_below_the_data_or_where_the_command_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("IDR_ASSETS_DATA", raising=False)
    for folder in ("data/one.zarr", "two.zarr"):
        os.makedirs(tmp_path / folder)  # noqa: PTH103
    monkeypatch.chdir(tmp_path)
    found = {path: place_address(path, "image", tmp_path)[:2] for path in ("one.zarr", "data/one.zarr", "two.zarr")}
    one, two = str(tmp_path / "data/one.zarr"), str(tmp_path / "two.zarr")
    assert found == {"one.zarr": (one, "one.zarr"), "data/one.zarr": (one, "one.zarr"), "two.zarr": (two, two)}
    assert place_address("none.zarr", "image", tmp_path)[0] == str(tmp_path / "data/none.zarr")
