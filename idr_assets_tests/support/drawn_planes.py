"""Planes for the recipes: what is drawn by hand, what hypothesis draws, and cuts into chunks."""

from typing import Any

import dask.array as da
import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

type Pixels = npt.NDArray[Any]


DTYPES = ["u1", "<u2", ">u2", "<i2", ">i2", "<f4", ">f4"]
TAKEN_AS_FLOAT32 = ["?", "<f2", ">f2"]
SHAPE = (64, 80)
ROWS, COLUMNS = np.indices(SHAPE)


def whole(planes: Pixels) -> da.Array:
    """Make a stack of one chunk."""
    stack: da.Array = da.from_array(planes, chunks=planes.shape)
    return stack


def disc(y: float, x: float, radius: float) -> Pixels:
    """Draw a disc with a soft rim, 1 inside."""
    return np.asarray(np.clip(radius + 0.5 - np.hypot(ROWS - y, COLUMNS - x), 0, 1))


def discs(radius: float, *centres: tuple[float, float]) -> Pixels:
    """Draw discs of one radius, joined where they touch."""
    return np.max([disc(y, x, radius) for y, x in centres], axis=0)


BLOBS = discs(4, (0, 0), (12, 70), (20, 30), (31, 79), (40, 10), (50, 50), (63, 30))
NAMED_PLANES = {
    "constant": np.full(SHAPE, 77),
    "empty": np.zeros(SHAPE),
    "saturated": np.full(SHAPE, 127),
    "one pixel": np.where((ROWS == 20) & (COLUMNS == 30), 100, 0),
    "objects at the border": np.where((ROWS % 63 < 3) | (COLUMNS == 0), 90, 4) * (COLUMNS % 11 > 2),
    "blobs": 10 + 110 * BLOBS,
    "comb, joined in its last row": np.where((ROWS == 63) | (COLUMNS % 12 < 6), 100, 0),
    "pixels that touch at corners": np.where(np.random.default_rng(0).random(SHAPE) > 0.9, 100, 0),
    "noise": np.random.default_rng(0).integers(0, 128, SHAPE),
}


def named_planes(dtype: str) -> Pixels:
    """Stack the named planes in any dtype; a mask is of what is bright."""
    return np.array([(plane > 50 if dtype == "?" else plane).astype(dtype) for plane in NAMED_PLANES.values()])


@st.composite
def chunkings(draw: st.DrawFn, size: int) -> tuple[int, ...]:
    """Cut an axis anywhere, down to chunks of one pixel."""
    cuts = sorted(draw(st.sets(st.integers(1, size - 1)))) if size > 1 else []
    return tuple(np.diff([0, *cuts, size]).tolist())
