"""What the metadata of an image say of the size of its pixels and of where they lie."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import zarr
from ome_zarr.axes import KNOWN_SPATIAL_UNITS

from idr_assets.imaging.reading.level import open_level
from idr_assets_tests.support.idr_stores import Version, edit_metadata, write_image


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
    edit_metadata(image / ".zattrs", axes=axes(unit))
    assert open_level(str(image), "0").geometry.pixel_size == (expected and pytest.approx(expected, rel=1e-9, abs=0))


@pytest.mark.parametrize("unit", KNOWN_SPATIAL_UNITS)
def test_every_unit_of_length_of_the_format_tells_the_size_of_a_pixel(image: Path, unit: str) -> None:
    edit_metadata(image / ".zattrs", axes=axes(unit))
    geometry = open_level(str(image), "0").geometry
    assert geometry.pixel_size
    assert geometry.pixel_area == pytest.approx(geometry.pixel_size**2)


TIMES = {"second": "second", "Minutes": "minute", "ms": "millisecond", "secs": None, "micrometer": None, "frames": None}


@pytest.mark.parametrize(("unit", "expected"), TIMES.items())
def test_a_unit_is_one_that_the_format_lists_for_the_axis(image: Path, unit: str, expected: str | None) -> None:
    edit_metadata(image / ".zattrs", axes=[{"name": "t", "type": "time", "unit": unit}, *axes("Meters")[1:]])
    assert open_level(str(image), "0").geometry.units == (expected, None, "meter", "meter", "meter")


@pytest.mark.parametrize("size", [float("nan"), float("inf"), -0.4, 0, 1e308])
def test_a_size_that_is_none_is_unknown_and_so_is_its_unit(image: Path, size: float) -> None:
    scale, shift = [30, 1, 2, 0.4, size], [0, 0, 5, float("-inf"), float("nan")]
    placed = [{"type": "scale", "scale": scale}, {"type": "translation", "translation": shift}]
    grown = [{"type": "scale", "scale": [1, 1, 1, 1, 10]}]
    datasets = [{"path": "0", "coordinateTransformations": placed}]
    edit_metadata(image / ".zattrs", datasets=datasets, coordinateTransformations=grown)
    geometry = open_level(str(image), "0").geometry
    (remark,) = geometry.remarks
    assert remark.startswith(f"The scale of {image} is not finite and above 0 along ['x']: it is not used")
    assert geometry.scale == (30, 1, 2, 0.4, None)
    assert geometry.translation == (0, 0, 5, 0, 0)
    assert geometry.units == ("second", None, "micrometer", "micrometer", None)
    assert (geometry.pixel_size, geometry.pixel_area) == (None, None)


def test_units_without_any_size_tell_nothing(image: Path) -> None:
    edit_metadata(image / ".zattrs", datasets=[{"path": "0"}])
    geometry = open_level(str(image), "0").geometry
    assert (geometry.scale, geometry.units) == ((None,) * 5, (None,) * 5)


def test_pixel_size_multiplies_the_scales_of_level_and_image(image: Path) -> None:
    edit_metadata(image / ".zattrs", coordinateTransformations=[{"type": "scale", "scale": [1.0, 1.0, 1.0, 3.0, 2.0]}])
    level = open_level(str(image), "0")
    assert level.geometry.scale == pytest.approx((30.0, 1.0, 2.0, 1.2, 0.8))
    assert level.geometry.pixel_size == pytest.approx(0.8)
    assert level.geometry.pixel_area == pytest.approx(1.2 * 0.8)


def test_a_level_lies_where_its_transformations_put_it_one_after_the_other(image: Path) -> None:
    scale, shift = {"type": "scale", "scale": [30, 1, 2, 0.8, 0.8]}, [0, 0, 1, 0.2, 0.2]
    datasets = [{"path": "0", "coordinateTransformations": [scale, {"type": "translation", "translation": shift}]}]
    whole = [{"type": "scale", "scale": [1, 1, 2, 1, 1]}, {"type": "translation", "translation": [0, 0, 5, 0, 0]}]
    edit_metadata(image / ".zattrs", datasets=datasets, coordinateTransformations=whole)
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
    edit_metadata(image / ".zattrs", datasets=[{"path": "0"}, {"path": "2"}])
    if not shape:
        shutil.rmtree(image / "0")
    geometry = open_level(str(image), "2").geometry
    assert geometry.scale[3:] == factors
    assert geometry.translation[3:] == tuple((factor - 1) / 2 if factor else 0 for factor in factors)
    assert (geometry.pixel_size, geometry.pixel_area) == (None, None)
