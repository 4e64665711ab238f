"""Pictures for the metadata of assets: a plane with outlines, a thumbnail, a preview.

Nothing here needs matplotlib, which takes a second to import.
"""

from io import BytesIO
from typing import Final

import numpy as np
from PIL import Image
from PIL.WebPImagePlugin import WebPImageFile

from idr_assets.imaging.figures import colours
from idr_assets.imaging.figures.colours import Pixels
from idr_assets.imaging.figures.palette import PALETTE, Bytes, Labels
from idr_assets.imaging.planes import LabelledPlane

SMALL_PICTURE_BYTES: Final = 40_000
"""Most bytes of a picture in the metadata of an asset."""

_HIGHEST_PREVIEW = 6000  # pixels: WebP allows 16,383, but events must stay small
PICTURE_SIDE: Final = 512
"""Longest side of such a picture in pixels."""

_SMALL_SIDES = (PICTURE_SIDE, 384, 256, 192, 128, 64)  # tried until the picture is small enough
_FAST = 2  # of WebP's methods 0 to 6: half the time of 4, for 4 % more bytes
_GREYS = 64  # of a small picture: finer steps are camera noise, which would be most of a PNG


def small_png(plane: LabelledPlane, side: int) -> bytes:
    """Encode `plane` with the outlines of its labels as PNG, whose longer side fits `side` pixels."""
    shades = colours.grey(plane.pixels, *colours.contrast([plane.pixels]))
    return _encode(*colours.fit(shades, plane.labels, side))


def outlines_png(plane: LabelledPlane, most: int = SMALL_PICTURE_BYTES) -> bytes:
    """Encode the pixels of `plane` with the outlines of its labels as PNG of at most `most` bytes, or 64 pixels."""
    return _small_png(plane.pixels, plane.labels, most)


def thumbnail_png(pixels: Pixels) -> bytes:
    """Encode `pixels` (y, x) of any real dtype, with stretched contrast, as PNG of at most `SMALL_PICTURE_BYTES`."""
    return _small_png(pixels, np.zeros(pixels.shape, np.int32), SMALL_PICTURE_BYTES)


def figure_png(picture: Image.Image, dpi: int) -> bytes:
    """Encode a figure as PNG, which states its dots per inch."""
    stream = BytesIO()
    picture.save(
        stream, format="PNG", dpi=(dpi, dpi), compress_level=1
    )  # a higher level takes seconds and saves a twentieth
    return stream.getvalue()


def preview_webp(picture: Image.Image, width: int) -> bytes:
    """Encode a figure as WebP, a tenth of a PNG; a figure that is wider than `width` or very high is reduced."""
    small, stream = picture.copy(), BytesIO()
    small.thumbnail((width, _HIGHEST_PREVIEW), Image.Resampling.BOX)
    # For the word "webp", Pillow would load every format that it knows.
    small.save(stream, format=WebPImageFile.format, method=_FAST)
    return stream.getvalue()


def _small_png(pixels: Pixels, labels: Labels, most: int) -> bytes:
    shades = colours.grey(pixels, *colours.contrast([pixels]))
    for side in _SMALL_SIDES:
        picture = _encode(*colours.fit(shades, labels, side))
        if len(picture) <= most:
            break
    return picture


def _encode(shades: Bytes, coloured: Bytes) -> bytes:
    """Encode as PNG with one byte per pixel: `_GREYS` greys, then as many label colours as fit."""
    last = np.minimum(coloured.astype(int) + _GREYS - 1, 255)
    values = np.where(colours.outlines(coloured), last, shades // (256 // _GREYS)).astype(np.uint8)
    greys = np.linspace(0, 255, _GREYS).astype(np.uint8)[:, np.newaxis].repeat(3, 1)
    return colours.palette_png(values, np.vstack([greys, PALETTE[1:]])[:256])
