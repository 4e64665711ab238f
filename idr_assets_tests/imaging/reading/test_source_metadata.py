"""What an image says of itself: its pixel size, its fingerprint, and whether it can be opened at all."""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from ome_zarr.axes import KNOWN_SPATIAL_UNITS

from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.reading.fingerprint import hash_layout, read_fingerprint
from idr_assets.imaging.reading.level import open_level
from idr_assets.imaging.store_text import quote
from idr_assets_tests.support.idr_stores import Version, write_image
from idr_assets_tests.support.store_server import StoreServer


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """Write a 0.4 image of two planes."""
    return write_image(tmp_path / "image.zarr", np.ones((1, 1, 2, 20, 30), ">u2"), version="0.4")


@pytest.fixture
def address(image: Path) -> Iterator[str]:
    """Serve that image."""
    with StoreServer(image.parent) as server:
        yield f"{server.url}/image.zarr"


def edit(document: Path, **changes: object) -> None:
    """Change the first multiscales entry of a .zattrs, or the keys of another document."""
    content = json.loads(document.read_text())
    content.get("multiscales", [content])[0].update(changes)
    document.write_text(json.dumps(content))


def axes(unit: str | None) -> list[dict[str, str]]:
    space = [{"name": name, "type": "space"} | ({"unit": unit} if unit else {}) for name in "zyx"]
    return [{"name": "t", "type": "time"}, {"name": "c", "type": "channel"}, *space]


UNITS = {
    "micrometer": 0.4, "nanometer": 4e-4, "millimeter": 400.0, "angstrom": 4e-5, "centimeter": 4e3, "meter": 4e5,
    "µm": 0.4, "\N{GREEK SMALL LETTER MU}m": 0.4, "um": 0.4, "micron": 0.4, "nm": 4e-4, "mm": 400.0,
    "yoctometer": 4e-19, "decimeter": 4e4, "kilometer": 4e8, "yottameter": 4e29, "parsec": 1.2342710326e22,
    "inch": 10160, "foot": 121920, "yard": 365760, "mile": 643737600, "inches": 10160, "feet": 121920,
    "Micrometer": 0.4, "micrometers": 0.4, "MICROMETRES": 0.4, "Microns": 0.4, "nanometres": 4e-4,
    "second": None, "pixel": None, "Mm": None, "furlong": None, None: None,
}  # fmt: skip


@pytest.mark.parametrize(("unit", "expected"), UNITS.items())
def test_pixel_size_is_in_micrometres(image: Path, unit: str | None, expected: float | None) -> None:
    edit(image / ".zattrs", axes=axes(unit))
    assert open_level(str(image), "0").geometry.pixel_size == (expected and pytest.approx(expected, rel=1e-9, abs=0))


@pytest.mark.parametrize("unit", KNOWN_SPATIAL_UNITS)
def test_every_unit_of_length_of_the_format_tells_the_size_of_a_pixel(image: Path, unit: str) -> None:
    edit(image / ".zattrs", axes=axes(unit))
    geometry = open_level(str(image), "0").geometry
    assert geometry.pixel_size
    assert geometry.pixel_area == pytest.approx(geometry.pixel_size**2)


TIMES = {"second": "second", "Minutes": "minute", "ms": "millisecond", "secs": None, "micrometer": None, "frames": None}


@pytest.mark.parametrize(("unit", "expected"), TIMES.items())
def test_a_unit_is_one_that_the_format_lists_for_the_axis(image: Path, unit: str, expected: str | None) -> None:
    edit(image / ".zattrs", axes=[{"name": "t", "type": "time", "unit": unit}, *axes("Meters")[1:]])
    assert open_level(str(image), "0").geometry.units == (expected, None, "meter", "meter", "meter")


@pytest.mark.parametrize("size", [float("nan"), float("inf"), -0.4, 0, 1e308])
def test_a_size_that_is_none_is_unknown_and_so_is_its_unit(image: Path, size: float) -> None:
    scale, shift = [30, 1, 2, 0.4, size], [0, 0, 5, float("-inf"), float("nan")]
    placed = [{"type": "scale", "scale": scale}, {"type": "translation", "translation": shift}]
    grown = [{"type": "scale", "scale": [1, 1, 1, 1, 10]}]
    datasets = [{"path": "0", "coordinateTransformations": placed}]
    edit(image / ".zattrs", datasets=datasets, coordinateTransformations=grown)
    geometry = open_level(str(image), "0").geometry
    (remark,) = geometry.remarks
    assert remark.startswith(f"The scale of {image} is not finite and above 0 along ['x']: it is not used")
    assert geometry.scale == (30, 1, 2, 0.4, None)
    assert geometry.translation == (0, 0, 5, 0, 0)
    assert geometry.units == ("second", None, "micrometer", "micrometer", None)
    assert (geometry.pixel_size, geometry.pixel_area) == (None, None)


def test_units_without_any_size_tell_nothing(image: Path) -> None:
    edit(image / ".zattrs", datasets=[{"path": "0"}])
    geometry = open_level(str(image), "0").geometry
    assert (geometry.scale, geometry.units) == ((None,) * 5, (None,) * 5)


def test_pixel_size_multiplies_the_scales_of_level_and_image(image: Path) -> None:
    edit(image / ".zattrs", coordinateTransformations=[{"type": "scale", "scale": [1.0, 1.0, 1.0, 3.0, 2.0]}])
    level = open_level(str(image), "0")
    assert level.geometry.scale == pytest.approx((30.0, 1.0, 2.0, 1.2, 0.8))
    assert level.geometry.pixel_size == pytest.approx(0.8)
    assert level.geometry.pixel_area == pytest.approx(1.2 * 0.8)


def test_a_level_lies_where_its_transformations_put_it_one_after_the_other(image: Path) -> None:
    scale, shift = {"type": "scale", "scale": [30, 1, 2, 0.8, 0.8]}, [0, 0, 1, 0.2, 0.2]
    datasets = [{"path": "0", "coordinateTransformations": [scale, {"type": "translation", "translation": shift}]}]
    whole = [{"type": "scale", "scale": [1, 1, 2, 1, 1]}, {"type": "translation", "translation": [0, 0, 5, 0, 0]}]
    edit(image / ".zattrs", datasets=datasets, coordinateTransformations=whole)
    geometry = open_level(str(image), "0").geometry
    assert geometry.scale == pytest.approx((30, 1, 4, 0.8, 0.8))
    assert geometry.translation == pytest.approx((0, 0, 7, 0.2, 0.2))


@pytest.mark.parametrize("version", ["0.1", "0.2", "0.3"])
def test_pixel_size_is_unknown_where_the_version_has_no_words_for_it(tmp_path: Path, version: Version) -> None:
    write_image(tmp_path / "image.zarr", np.ones((1, 1, 2, 20, 30), "u1"), version=version)
    level = open_level(str(tmp_path / "image.zarr"), "0")
    assert (level.geometry.pixel_size, level.geometry.scale, level.geometry.units) == (None, (None,) * 5, (None,) * 5)


@pytest.mark.parametrize(
    ("shape", "factors"),
    [((1, 1, 2, 5, 15), (4, 2)), ((1, 1, 2, 8, 8), (2.5, 4)), ((1, 1, 2, 7, 7), (3, 4)), (None, (None, None))],
    ids=["halves", "a part, and rounded up", "rounded both ways", "without the first level"],
)
def test_a_level_without_sizes_is_laid_over_the_first_by_their_shapes(
    tmp_path: Path, shape: tuple[int, ...] | None, factors: tuple[float | None, ...]
) -> None:
    image = write_image(tmp_path / "image.zarr", np.ones((1, 1, 2, 20, 30), "u1"), version="0.1")
    zarr.open_group(image).create_array("2", data=np.ones(shape or (1, 1, 2, 5, 15), "u1"))
    edit(image / ".zattrs", datasets=[{"path": "0"}, {"path": "2"}])
    if not shape:
        shutil.rmtree(image / "0")
    geometry = open_level(str(image), "2").geometry
    assert geometry.scale[3:] == factors
    assert geometry.translation[3:] == tuple((factor - 1) / 2 if factor else 0 for factor in factors)
    assert (geometry.pixel_size, geometry.pixel_area) == (None, None)


def test_fingerprint_is_stable_across_openings(address: str) -> None:
    (found,) = {read_fingerprint(open_level(address, "0")).digest for _ in range(3)}
    assert len(found) == len(bytes.fromhex(found)) * 2 == 16


@pytest.mark.parametrize("remote", [True, False], ids=["over HTTP", "in a folder"])
def test_fingerprint_changes_with_etag_or_modification_date(image: Path, address: str, *, remote: bool) -> None:
    url = address if remote else str(image)
    before = read_fingerprint(open_level(url, "0")).digest
    os.utime(image / "0/.zarray", (0, 0))
    assert read_fingerprint(open_level(url, "0")).digest != before


GROWTH = [{"shape": [1, 1, 3, 20, 30]}, {"shape": [4, 1, 2, 20, 30]}]
CHANGES = [{"shape": [1, 1, 2, 20, 31]}, {"dtype": "<u2"}, {"dimension_separator": "."}, {"compressor": None}]


@pytest.mark.parametrize("change", GROWTH + CHANGES)
def test_fingerprint_changes_with_the_metadata_and_the_layout_with_all_but_the_lengths_of_t_and_z(
    image: Path, change: dict[str, Any]
) -> None:
    before = open_level(str(image), "0")
    old = read_fingerprint(before).digest
    edit(image / "0/.zarray", **change)
    after = open_level(str(image), "0")
    assert read_fingerprint(after).digest != old
    assert (hash_layout(after) == hash_layout(before)) == (change in GROWTH)


def refusal(url: str, level: str = "0") -> str:
    with pytest.raises(ImageError) as error:
        open_level(url, level)
    return str(error.value)


def test_an_address_without_an_image_is_refused(tmp_path: Path, address: str) -> None:
    for url in (address.replace("image.zarr", "none"), str(tmp_path / "none"), tmp_path.as_uri()):
        assert refusal(url) == (
            f"No Zarr group at {url}: nothing can be read. Check `url`; a relative path is below IDR_ASSETS_DATA."
        )


def test_a_group_that_is_no_image_is_refused(image: Path, address: str) -> None:
    (image / ".zattrs").write_text('{"about": {}, "ome": {"creator": 1}}')
    assert refusal(address) == (
        f"The Zarr group at {address} has no `multiscales`: it is not an OME-Zarr image. "
        "Its keys: ['about', 'creator']."
    )


def test_a_level_that_is_not_listed_is_refused_with_those_that_are(image: Path, address: str) -> None:
    edit(image / ".zattrs", datasets=[{"path": "1"}, {"path": "0"}])
    assert refusal(address, "4") == (
        f"Level '4' is not in the multiscales of {address}. Set `level` to one of ['1', '0']."
    )


def test_a_level_that_is_listed_but_not_there_is_refused(image: Path, address: str) -> None:
    edit(image / ".zattrs", datasets=[{"path": "1"}])
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
    edit(image / ".zattrs", datasets=[{"path": level}])
    with StoreServer(tmp_path) as server:
        for url in (str(image), f"{server.url}/folder/image.zarr"):
            assert refusal(url, level).startswith(
                f"Level {quote(level)} is not a path below {url}: pixels might come from"
            )
        assert server.requests == []
