"""Levels whose metadata contradict their pixels: refused before a run, with what is stored, and the remedy."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.planes import Block
from idr_assets.imaging.reading.level import open_level
from idr_assets.imaging.reading.probe import check_pixels
from idr_assets.imaging.reading.retries import Patience
from idr_assets_tests.support.idr_stores import Version, nuclei_plane, write_image

WINDOW = Block(range(1, 4), (0,), range(2))
SHAPE = (300, 280)


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """Write a level of four timepoints whose planes are several chunks."""
    return write(tmp_path, "0.4")


def write(folder: Path, version: Version) -> Path:
    pixels = np.array([[[nuclei_plane(t, 0, z, SHAPE) for z in range(2)]] for t in range(4)], ">u2")
    return write_image(folder / "image.zarr", pixels, version=version, chunks=(1, 1, 1, 100, 100))


def declare(image: Path, **fields: Any) -> None:  # noqa: ANN401  any JSON
    document = image / "0" / ".zarray"
    document.write_text(json.dumps(json.loads(document.read_text()) | fields))


def check(image: Path, *, sparse: bool = False, byte_order_known: bool = False) -> None:
    level = open_level(str(image), "0", patience=Patience(tries=1), missing_chunks="zeros" if sparse else "error")
    check_pixels(level, WINDOW, sparse=sparse, byte_order_known=byte_order_known)


@pytest.mark.parametrize("version", ["0.1", "0.4", "0.5"])
def test_a_right_level_passes(tmp_path: Path, version: Version) -> None:
    check(write(tmp_path, version))


@pytest.mark.parametrize("sparse", [True, False])
@pytest.mark.parametrize(("version", "declared", "stored"), [("0.4", ".", "1/0/0/0/0"), ("0.1", "/", "1.0.0.0.0")])
def test_a_wrong_separator(tmp_path: Path, version: Version, declared: str, stored: str, *, sparse: bool) -> None:
    image = write(tmp_path, version)
    declare(image, dimension_separator=declared)
    assert (image / "0" / stored).exists()
    message = rf"chunks have keys with '\{declared}'.* the chunk of t 2 c 0 z 1 has .*Tell the store's owner"
    with pytest.raises(ImageError, match=message):
        check(image, sparse=sparse)


def test_a_wrong_byte_order(image: Path) -> None:
    declare(image, dtype="<u2")
    with pytest.raises(ImageError, match=r"t 2 c 0 z 1 .* look swapped: with dtype '<u2'.*write `dtype: '<u2'`"):
        check(image)
    check(image, byte_order_known=True)


def test_a_window_without_any_plane(image: Path) -> None:
    for chunk in (image / "0").glob("[123]/**/0"):
        if chunk.is_file():
            chunk.unlink()
    with pytest.raises(ImageError, match="is missing, so t 2 c 0 z 1 has no pixels"):
        check(image)
    check(image, sparse=True)


def test_a_wrong_separator_of_a_sparse_image_whose_middle_is_missing(image: Path) -> None:
    (image / "0/2/0/1").rename(image / "elsewhere")
    declare(image, dimension_separator=".")
    with pytest.raises(ImageError, match="every plane would seem to be missing"):
        check(image, sparse=True)


def test_a_fill_value_that_is_no_zero_is_refused_where_missing_chunks_are_zeros(image: Path) -> None:
    declare(image, fill_value=777)
    check(image)
    with pytest.raises(ImageError, match="stand for 777, its fill value"):
        check(image, sparse=True)


def test_one_plane_that_is_missing_or_broken_is_no_reason(image: Path) -> None:
    (image / "0/2/0/1/1/1").unlink()
    check(image)
    (image / "0/2/0/1/1/1").write_bytes(b"broken")
    check(image)
