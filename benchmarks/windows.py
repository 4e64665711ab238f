"""Windows of the simulated image with so many planes."""

from idr_assets.imaging.planes import Block
from idr_assets_tests.support.idr_stores import IDR_SHAPE

LONGEST = 500
"""Slices of a window at most."""

MOST_TIMEPOINTS = IDR_SHAPE[0] - 2
"""Timepoints of windows at most; the last are for what does not count, see `ways`."""

MOST = LONGEST * MOST_TIMEPOINTS
"""Planes of a window at most."""


def window(planes: int, turn: int = 0) -> Block:
    """Give a window of one channel with so many planes, rounded down to whole timepoints past `LONGEST`.

    Those of each `turn` follow upon those of the turn before.
    """
    slices = min(planes, LONGEST)
    timepoints = planes // slices
    return Block(range(turn * timepoints, (turn + 1) * timepoints), (0,), range(slices))
