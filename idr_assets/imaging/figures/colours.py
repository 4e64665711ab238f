"""Turn numbers into colours: greys for pixels, colours for labels, and labels drawn over pixels.

Arrays in, arrays or bytes out. `panels` and `plane_browser` lay pictures out; `palette` chooses the colours of labels.
"""

from collections.abc import Sequence
from io import BytesIO
from math import gcd
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy  # loads each submodule at its first use
from PIL import Image

from idr_assets.imaging.figures.palette import PALETTE, Bytes, Labels, label_colours, lay_beside

type Pixels = npt.NDArray[Any]

_CONTRAST = (1.0, 99.8)  # percentiles: camera noise below and a few hot pixels above must not determine the range
GREY_RANGE = "one range for all planes shown of a channel, percentiles {:g} to {:g} of their pixels".format(*_CONTRAST)
"""How captions describe the contrast."""

_SAMPLES = 200_000
_AT_ONCE = 2**20  # pixels that are numbers of 8 bytes at the same time
_FILL = 0.4
_GREYS = np.arange(256)[:, np.newaxis].repeat(3, 1)
_TINTS = (_GREYS * (1 - _FILL) + PALETTE[:, np.newaxis] * _FILL).round()  # each grey under each row of `PALETTE`
_TINTS[0] = _GREYS
# RGBA as one number each, so that a pixel takes one lookup.
_TINTED = np.insert(_TINTS, 3, 255, axis=-1).astype(np.uint8).view(np.uint32).ravel()
_OPAQUE = np.insert(PALETTE, 3, 255, axis=-1).view(np.uint32).ravel()


def contrast(planes: Sequence[Pixels]) -> tuple[float, float]:
    """Return the intensities to draw as black and white: percentiles of the finite pixels of `planes`, or 0 and 0.

    Large planes are sampled evenly, at some 200,000 pixels.
    """
    step = max(1, sum(plane.size for plane in planes) // _SAMPLES)
    while any(gcd(step, plane.shape[-1]) > 1 for plane in planes):
        step += 1  # otherwise only some columns would be sampled
    values = np.concatenate([np.zeros(0), *(plane.ravel()[::step].astype(np.float64) for plane in planes)])
    finite = values[np.isfinite(values)]
    if not finite.size:
        return 0.0, 0.0
    black, white = np.percentile(finite, _CONTRAST, method="nearest")
    return float(black), float(white)


def grey(pixels: Pixels, black: float, white: float) -> Bytes:
    """Return `pixels` as greys, linear from 0 at `black` to 255 at `white`. NaN and flat planes become 0."""
    shades = np.empty(pixels.shape, np.uint8)
    rows = max(1, _AT_ONCE // pixels.shape[-1])
    for start in range(0, len(pixels), rows):
        shades[start : start + rows] = _shade(pixels[start : start + rows], black, white)
    return shades


def _shade(pixels: Pixels, black: float, white: float) -> Bytes:
    with np.errstate(over="ignore", invalid="ignore"):
        scale = 255 / (white - black) if white > black else 0.0
        shades = (np.clip(pixels.astype(np.float64), black, white) - black) * scale
    # The scale of a range below the smallest normal number is infinite.
    return np.nan_to_num(shades).clip(0, 255).round().astype(np.uint8)


def fitted_shape(shape: tuple[int, ...], side: int) -> tuple[int, int]:
    """Return the height and width of `shape` (y, x) scaled to fit `side`: enlarged by a whole factor, or reduced."""
    factor = side // max(shape) or side / max(shape)
    height, width = (max(1, round(length * factor)) for length in shape)
    return height, width


def stretch(shape: tuple[int, ...]) -> float:
    """Return by how much panels of planes of `shape` (y, x) are longer than those of squares, so that details are seen.

    A column takes the width of a heading anyway, so that high planes may be longer than wide ones.
    """
    height, width = shape
    return max(1, min(4, height / width / 2), min(2, width / height / 2))


def fit(shades: Bytes, labels: Labels, side: int) -> tuple[Bytes, Bytes]:
    """Return shades and label colours (y, x) at their `fitted_shape`. Reduced shades are averaged."""
    if factor := side // max(shades.shape):
        return _enlarge(shades, factor), _enlarge(label_colours(labels), factor)
    shape = fitted_shape(shades.shape, side)
    seen = label_colours(labels[np.ix_(*map(_pick, labels.shape, shape))].astype(np.int32))
    return _resize(shades, shape[::-1], Image.Resampling.BOX), seen


def outlines(colours: Bytes, width: int = 1) -> npt.NDArray[np.bool_]:
    """Return which pixels of `colours` (y, x) are within `width` pixels of the edge of their object.

    The border of the plane is not an edge.
    """
    ends = np.zeros(colours.shape, np.bool_)
    for (one, other), (here, there) in zip(lay_beside(colours), lay_beside(ends), strict=True):
        differs = one != other
        np.logical_or(here, differs, out=here)
        np.logical_or(there, differs, out=there)
    if width > 1:
        ends = scipy.ndimage.maximum_filter(ends, 2 * width - 1)
    return ends & (colours > 0)


def overlay(shades: Bytes, colours: Bytes, width: int = 1) -> Bytes:
    """Draw translucent `colours` with opaque outlines over `shades`; return opaque RGBA (y, x, 4)."""
    dots = _TINTED.take(colours.astype(np.uint16) * len(_GREYS) + shades)
    ends = outlines(colours, width)
    dots[ends] = _OPAQUE.take(colours[ends])
    return dots.view(np.uint8).reshape(*shades.shape, 4)


def palette_png(values: Bytes, palette: Bytes = PALETTE) -> bytes:
    """Encode `values` (y, x), rows of `palette` (n, 3), as PNG."""
    picture = Image.fromarray(values)
    picture.putpalette(palette.tobytes())
    stream = BytesIO()
    picture.save(stream, format="PNG")
    return stream.getvalue()


def _enlarge(plane: Bytes, factor: int) -> Bytes:
    return plane.repeat(factor, axis=1).repeat(factor, axis=0)


def _pick(length: int, wanted: int) -> npt.NDArray[np.intp]:
    """Return which of so many pixels Pillow picks as the nearest ones."""
    steps = np.full(wanted, length / wanted)
    steps[0] /= 2
    return np.add.accumulate(steps).astype(np.intp).clip(max=length - 1)


def _resize(plane: Pixels, size: tuple[int, int], resample: Image.Resampling) -> Pixels:
    return np.asarray(Image.fromarray(plane).resize(size, resample))
