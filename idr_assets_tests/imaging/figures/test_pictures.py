"""The small pictures of an asset's metadata, decoded again."""

from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from idr_assets.imaging.figures import pictures
from idr_assets.imaging.figures.palette import PALETTE
from idr_assets.imaging.planes import LabelledPlane
from idr_assets_tests.support.labelled_planes import SHAPE, labelled

type Pixels = npt.NDArray[Any]


def opened(png: bytes) -> Pixels:
    """Decode a picture to RGB (y, x, 3)."""
    return np.asarray(Image.open(BytesIO(png)).convert("RGB"))


@pytest.mark.parametrize(
    "pixels",
    [
        np.random.default_rng(0).integers(0, 2**16, (2048, 1500), np.uint16),
        np.random.default_rng(0).integers(0, 2**16, SHAPE).astype(">u2"),
        np.random.default_rng(0).normal(size=(700, 512)).astype(np.float32),
        np.full((300, 300), 7, np.uint8),
        np.full((64, 64), np.nan),
        np.array([[np.nan, np.inf, -np.inf, 1e308, -1e308]]),
        np.eye(50, dtype=bool),
        np.zeros((1, 1), np.int8),
        np.arange(9000).reshape(1, 9000),
    ],
    ids=lambda pixels: f"{pixels.dtype}-{pixels.shape}",
)
def test_thumbnails_are_small_and_grey(pixels: Pixels) -> None:
    png = pictures.thumbnail_png(pixels)
    picture = opened(png)
    assert len(png) <= pictures.SMALL_PICTURE_BYTES
    assert max(picture.shape) <= 512
    assert np.array_equal(picture[..., 0], picture[..., 2])


def test_a_thumbnail_uses_the_whole_range_from_black_to_white() -> None:
    picture = opened(pictures.thumbnail_png(labelled(0, 0, 0).pixels))
    assert (picture.min(), picture.max()) == (0, 255)


@pytest.mark.parametrize("shape", [SHAPE, (1000, 1100)])
def test_outlines_are_small_and_show_each_colour_on_grey(shape: tuple[int, int]) -> None:
    plane = labelled(0, 0, 4, shape)
    png = pictures.outlines_png(plane)
    picture = opened(png)
    found = {tuple(colour) for colour in picture.reshape(-1, 3).tolist() if len(set(colour)) > 1}
    assert len(png) <= pictures.SMALL_PICTURE_BYTES
    assert found
    assert found == {tuple(colour) for colour in PALETTE[1:6].tolist()}


def test_a_small_plane_is_enlarged_so_that_it_can_be_read() -> None:
    assert opened(pictures.outlines_png(labelled(0, 0, 0))).shape == (384, 405, 3)


def test_a_preview_keeps_the_shape_and_loses_bytes() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (600, 900, 3), np.uint8)
    preview = pictures.preview_webp(Image.fromarray(noise), 300)
    assert opened(preview).shape == (200, 300, 3)
    assert len(preview) < noise.size / 5


def test_a_preview_of_a_very_high_picture_is_bounded_and_keeps_the_shape() -> None:
    preview = pictures.preview_webp(Image.new("RGB", (500, 30_000)), 850)
    assert opened(preview).shape == (6000, 100, 3)


def test_a_figure_keeps_every_dot_and_its_resolution() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (60, 90, 3), np.uint8)
    png = pictures.figure_png(Image.fromarray(noise), 216)
    np.testing.assert_array_equal(opened(png), noise)
    assert Image.open(BytesIO(png)).info["dpi"] == pytest.approx((216, 216), abs=0.1)


@pytest.mark.parametrize("most", [40_000, 20_000, 10_000])
def test_a_picture_is_made_as_small_as_it_must_be(most: int) -> None:
    noise = np.random.default_rng(0).integers(0, 2**16, (512, 512), np.uint16)
    plane = LabelledPlane(0, 0, 0, noise, np.zeros(noise.shape, np.int32))
    assert most / 8 < len(pictures.outlines_png(plane, most)) <= most
