"""Small pictures in an asset's metadata: a plane with outlines, a thumbnail, a preview.

Figures with text stand in `figures`; nothing here needs matplotlib, which takes a second to import.
"""

import zlib
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from struct import pack
from typing import Final

import numpy as np
from PIL import Image
from PIL.WebPImagePlugin import WebPImageFile

from idr_assets.imaging import colours
from idr_assets.imaging.colours import Bytes, Labels, Pixels
from idr_assets.imaging.planes import LabelledPlane

SMALL_PICTURE_BYTES: Final = 40_000
"""Bound of a picture in an asset's metadata."""

_HIGHEST_PREVIEW = 6000  # pixels: WebP has 16,383 at most, and events must stay small
_SMALL_SIDES = (512, 384, 256, 192, 128, 64)  # tried until the picture is small enough
_PNG, _RGB, _UP = b"\x89PNG\r\n\x1a\n", 2, 2  # how a PNG starts, its colour type, its filter of differences
_ZLIB = b"\x78\x01"  # how a zlib stream starts that was made for speed
_FAST = 2  # of WebP's methods 0 to 6: half of the time that 4 takes, for 4 % more bytes
_GREYS = 64  # of a small picture: finer steps are camera noise, which is most of a PNG's bytes


def outlines_png(plane: LabelledPlane, most: int = SMALL_PICTURE_BYTES) -> bytes:
    """Encode the pixels of `plane` with the outlines of its labels as PNG of at most `most` bytes, or 64 pixels."""
    return _small_png(plane.pixels, plane.labels, most)


def thumbnail_png(pixels: Pixels) -> bytes:
    """Encode `pixels` (y, x) of any real dtype, contrast stretched, as PNG of at most `SMALL_PICTURE_BYTES`."""
    return _small_png(pixels, np.zeros(pixels.shape, np.int32), SMALL_PICTURE_BYTES)


def figure_png(dots: Bytes, dpi: int) -> bytes:
    """Encode the RGB of `dots` (y, x, 3 or more), so many an inch, as PNG: of each row what differs from that above.

    Of enlarged pixels that is nothing in every other row. Pillow tries each filter on each row, which takes nearly
    twice as long and saves nothing. Portable Network Graphics (PNG) Specification, third edition, W3C, 2025.
    """
    height, width = dots.shape[:2]
    filtered = np.empty((height, 1 + width * 3), np.uint8)
    filtered[:, 0] = _UP
    rows = filtered[:, 1:].reshape(height, width, 3)
    rows[0] = dots[0, :, :3]
    for colour in range(3):  # one by one takes a third of the time: NumPy is slow along an axis of three
        np.subtract(dots[1:, :, colour], dots[:-1, :, colour], out=rows[1:, :, colour])
    metre = round(dpi / 0.0254)
    chunks = {
        b"IHDR": pack(">2I5B", width, height, 8, _RGB, 0, 0, 0),
        b"pHYs": pack(">2IB", metre, metre, 1),
        b"IDAT": _deflated(filtered),
        b"IEND": b"",
    }
    ends = {name: pack(">I", zlib.crc32(name + data)) for name, data in chunks.items()}
    return _PNG + b"".join(pack(">I", len(data)) + name + data + ends[name] for name, data in chunks.items())


def preview_webp(dots: Bytes, width: int) -> bytes:
    """Encode the RGB of `dots` (y, x, 4), reduced where wider than `width` or very high, as WebP: a tenth of a PNG."""
    stream = BytesIO()
    picture = Image.frombuffer("RGBX", dots.shape[1::-1], dots, "raw", "RGBX", 0, 1)  # no copy of what is large
    factor = min(1, width / picture.width, _HIGHEST_PREVIEW / picture.height)
    size = [max(1, round(side * factor)) for side in picture.size]
    # The word "webp" would have Pillow load all the formats that it knows.
    small = picture.resize((size[0], size[1]), Image.Resampling.BOX).convert("RGB")
    small.save(stream, format=WebPImageFile.format, method=_FAST)
    return stream.getvalue()


def _deflated(rows: Bytes) -> bytes:
    """Compress `rows` as a zlib stream by two threads: zlib works without Python's lock, and its blocks join.

    RFC 1950 and 1951, Deutsch and Gailly, 1996.
    """
    with ThreadPoolExecutor(2) as threads:
        parts = threads.map(_blocks, np.array_split(rows, 2), (zlib.Z_FULL_FLUSH, zlib.Z_FINISH))
        return b"".join([_ZLIB, *parts, pack(">I", zlib.adler32(rows))])


def _blocks(rows: Bytes, end: int) -> bytes:
    deflate = zlib.compressobj(1, wbits=-zlib.MAX_WBITS)  # more than 1 takes a second longer, and saves a fifth
    return deflate.compress(rows) + deflate.flush(end)


def _small_png(pixels: Pixels, labels: Labels, most: int) -> bytes:
    shades = colours.grey(pixels, *colours.contrast([pixels]))
    for side in _SMALL_SIDES:
        picture = _encoded(*colours.fit(shades, labels, side))
        if len(picture) <= most:
            break
    return picture


def _encoded(shades: Bytes, coloured: Bytes) -> bytes:
    """Encode as PNG of a byte a pixel: `_GREYS` greys, then as many label colours as remain."""
    last = np.minimum(coloured.astype(int) + _GREYS - 1, 255)
    values = np.where(colours.outlines(coloured), last, shades // (256 // _GREYS)).astype(np.uint8)
    greys = np.linspace(0, 255, _GREYS).astype(np.uint8)[:, np.newaxis].repeat(3, 1)
    return colours.palette_png(values, np.vstack([greys, colours.PALETTE[1:]])[:256])
