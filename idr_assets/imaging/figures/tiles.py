"""Large planes as tiles of levels, for the page with a slider: each level has half the height and width of the last."""

from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import product
from typing import Any, Final

import numpy as np
from PIL import Image
from PIL.WebPImagePlugin import WebPImageFile

from idr_assets.imaging.figures import colours
from idr_assets.imaging.figures.palette import PALETTE, Bytes, Labels, label_colours
from idr_assets.imaging.planes import LabelledPlane

LARGE: Final = 2**22
"""Pixels of a plane above which it is cut into tiles."""

SIDE: Final = 1024
"""Pixels of the longer side of a tile, and of the picture of a whole plane that has tiles."""

QUALITIES: Final = (80, 60, 40, 20)
"""Of WebP: the first with which all tiles fit is used."""

_SAMPLED = 6  # tiles of which the size of all is estimated
_ROOM = 0.85  # of the bytes are aimed at, for the others may be larger
_FAST = 2  # of WebP's methods 0 to 6
_SEEN = 2048  # pixels of the longer side of labels by which colours are chosen

type Range = tuple[float, float]


@dataclass(frozen=True)
class Detail:
    """What tiles show: from the level `first` on, of which a pixel is `2 ** first` of the plane's, at a quality."""

    first: int
    quality: int

    def smaller(self, shape: tuple[int, ...]) -> "Detail | None":
        """Return what takes less room; None if that is no more than the picture of a whole plane."""
        if self.quality > QUALITIES[-1]:
            return Detail(self.first, QUALITIES[QUALITIES.index(self.quality) + 1])
        return Detail(self.first + 1, QUALITIES[0]) if max(shape) > SIDE << (self.first + 1) else None


def choose_detail(planes: Sequence[LabelledPlane], ranges: Sequence[Range], most: int) -> Detail | None:
    """Choose the finest level, then the highest quality, with which all tiles have at most `most` bytes of text.

    None if that is no finer than the picture of a whole plane.
    """
    levels = range(((max(planes[0].pixels.shape) - 1) // SIDE).bit_length())
    sizes = {level: _estimate(planes, ranges, level) for level in levels}
    for first, quality in product(levels, QUALITIES):
        if sum(sizes[level][quality] for level in levels[first:]) <= most * _ROOM:
            return Detail(first, quality)
    return None


def cut_tiles(plane: LabelledPlane, grey: Range, detail: Detail) -> list[dict[str, Any]]:
    """Return the levels of a plane, the finest first, each with tiles row by row, in base64."""
    palette, levels = _choose_colours(plane.labels), list[dict[str, Any]]()
    shades = _shade(plane.pixels, grey, detail.first)
    step = 2**detail.first
    while max(plane.pixels.shape) > step * SIDE:
        coloured = plane.labels[::step, ::step]
        corners = list(_corners(shades.shape))
        levels.append(
            {
                "step": step,
                "columns": -(-shades.shape[1] // SIDE),
                "pixels": [_encode_greys(shades[at], detail.quality) for at in corners],
                "labels": [_encode_labels(palette[coloured[at]]) for at in corners],
            }
        )
        shades, step = _halve(shades), 2 * step
    return levels


def _estimate(planes: Sequence[LabelledPlane], ranges: Sequence[Range], level: int) -> dict[int, float]:
    """Estimate the bytes of all tiles of a level, by quality."""
    samples = [_sample(planes, ranges, level, number) for number in range(_SAMPLED)]
    labels = sum(len(_encode_labels(coloured)) for _, coloured in samples)
    share = sum(shades.size for shades, _ in samples) * 4**level / (len(planes) * planes[0].pixels.size)
    return {it: (labels + sum(len(_encode_greys(shades, it)) for shades, _ in samples)) / share for it in QUALITIES}


def _sample(planes: Sequence[LabelledPlane], ranges: Sequence[Range], level: int, number: int) -> tuple[Bytes, Bytes]:
    """Return greys and colours of a part on the diagonal, each of another plane if there are more."""
    at, side = number * len(planes) // _SAMPLED, SIDE // 2 << level
    starts = [max(0, length - side) * number // (_SAMPLED - 1) for length in planes[at].pixels.shape]
    part = tuple(slice(start, start + side) for start in starts)
    labels = planes[at].labels[part][:: 2**level, :: 2**level]
    return _shade(planes[at].pixels[part], ranges[at], level), np.where(labels, labels % 8 + 1, 0).astype(np.uint8)


def _shade(pixels: colours.Pixels, grey: Range, times: int) -> Bytes:
    """Return pixels as greys, halved so many times."""
    shades = colours.grey(pixels, *grey)
    for _ in range(times):
        shades = _halve(shades)
    return shades


def _halve(shades: Bytes) -> Bytes:
    return np.asarray(Image.fromarray(shades).reduce(2))


def _choose_colours(labels: Labels) -> Bytes:
    """Return the colour of each label; labels that are seen every few pixels differ from their neighbours."""
    step = -(-max(labels.shape) // _SEEN)
    seen = labels[::step, ::step]
    palette = (np.arange(int(labels.max(initial=0)) + 1) % 8 + 1).astype(np.uint8)
    palette[seen] = label_colours(seen.astype(np.int32))
    palette[0] = 0
    return palette


def _corners(shape: tuple[int, ...]) -> Iterator[tuple[slice, slice]]:
    for y, x in product(*(range(0, length, SIDE) for length in shape)):
        yield np.s_[y : y + SIDE, x : x + SIDE]


def _encode_greys(shades: Bytes, quality: int) -> str:
    return _encode(shades, quality=quality, method=_FAST)


def _encode_labels(coloured: Bytes) -> str:
    return _encode(PALETTE[coloured], lossless=True, quality=0, method=0)


def _encode(picture: Bytes, **options: int) -> str:
    stream = BytesIO()
    # For the word "webp", Pillow would load every format that it knows.
    Image.fromarray(picture).save(stream, format=WebPImageFile.format, **options)
    return b64encode(stream.getvalue()).decode()
