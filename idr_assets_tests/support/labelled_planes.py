"""Labelled planes for the tests of figures: bright squares over camera noise."""

from itertools import product
from typing import Final

import numpy as np

from idr_assets.imaging.planes import LabelledPlane

SHAPE: Final = (128, 135)


def labelled(t: int, c: int, z: int, shape: tuple[int, int] = SHAPE) -> LabelledPlane:
    """Make a plane with (t + z) modulo 10 + 1 touching squares, a fourteenth of the width each; no two are alike."""
    side = shape[1] // 14
    labels = np.zeros(shape, np.int32)
    for label in range(1, (t + z) % 10 + 2):
        labels[side : 2 * side, label * side : (label + 1) * side] = label
    noise = np.random.default_rng((t, c, z)).normal(200, 20, shape)
    return LabelledPlane(t, c, z, np.rint(noise + 1000 * (labels > 0)).astype(">u2"), labels)


def window(
    t: int, c: int, z: int, first: int = 0, shape: tuple[int, int] = SHAPE
) -> dict[tuple[int, int, int], LabelledPlane | None]:
    """Make so many timepoints and slices, both from `first`, and channels, in the order t, c, z."""
    keys = product(range(first, first + t), range(c), range(first, first + z))
    return {key: labelled(*key, shape) for key in keys}


def planes_of(t: int, c: int, z: int) -> list[LabelledPlane]:
    """List the planes of a window of so many timepoints, channels and slices."""
    return [plane for plane in window(t, c, z).values() if plane]
