"""Windows of the simulated image with so many planes."""

from idr_assets.imaging.planes import Block
from idr_assets_tests.idr_stores import IDR_SHAPE

LONGEST = 500
"""Slices of a window at most."""

MOST = LONGEST * (IDR_SHAPE[0] - 2)
"""Planes of a window at most; the last timepoints are for what does not count, see `ways`."""


def window(planes: int) -> Block:
    """Give a window of one channel with so many planes, rounded down to whole timepoints past `LONGEST`."""
    slices = min(planes, LONGEST)
    return Block(range(planes // slices), (0,), range(slices))
