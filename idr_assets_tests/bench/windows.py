"""Windows of the simulated image with so many planes."""

from idr_assets.imaging.planes import Block

LONGEST = 500
"""Slices of a window at most."""


def window(planes: int) -> Block:
    """Give a window of one channel with so many planes, rounded down to whole timepoints past `LONGEST`."""
    slices = min(planes, LONGEST)
    return Block(range(planes // slices), (0,), range(slices))
