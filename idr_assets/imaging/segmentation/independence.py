"""Check on a few planes that a function of a stack labels each plane as if it were alone."""

from collections.abc import Callable

import numpy as np

from idr_assets.imaging.planes import Block, Plane, count_objects, evenly_spread
from idr_assets.imaging.segmentation.label_numbers import Labels

MOST_COMPARED = 3
"""Planes of a block that are segmented alone too: the first, the last, and one with planes on both sides."""

BLOCKS_COMPARED = 2
"""Blocks of a run whose planes are compared. Dask builds a graph for each plane, in the time of labelling twenty."""

DEPENDENT = (
    "its labels were removed: those of other planes of this run depend on the planes that are segmented with them, as "
    "their reasons say, so these may too."
)
"""Why a plane of the same run failed that was stored."""

UNPROVEN = (
    "it was not segmented: labels of other planes of this run depend on the planes that are segmented with them, as "
    "their reasons say, so these would too."
)
"""Why a plane of the same run failed that was not segmented yet."""


class DependentPlanesError(ValueError):
    """Labels of a plane depend on the planes that are segmented with it."""


MODEL_ROUNDING = 0.001
"""Share of a plane in which labels of a model may differ: a GPU adds up in another order for other batches."""


def compare_alone(
    block: Block, labels: Labels, label: Callable[[Block], Labels], name: str, rounding: float = -1.0
) -> set[Plane]:
    """Segment a few planes of a block alone, and return those that got the same labels.

    Parameters
    ----------
    block, labels
        Planes that were segmented as one stack, and their labels (t, c, z, y, x).
    label, name
        Segments one plane of the block by the function of this name.
    rounding
        Share of a plane's pixels that may be an object's in one and background in the other; by default, none differs.

    Raises
    ------
    DependentPlanesError
        If a plane got other labels.
    """
    each = list(zip(block.planes(), labels.reshape(len(block), 1, 1, 1, *labels.shape[3:]), strict=True))
    compared = evenly_spread(each, MOST_COMPARED) if len(each) > 1 else []
    for plane, found in compared:
        alone = label(plane.block)
        if not np.array_equal(alone, found) and _differ(alone, found) > rounding:
            line = "@per_stack" if rounding < 0 else "@per_batch"
            raise DependentPlanesError(_message(plane, name, line, alone, found, len(each)))
    return {plane for plane, *_ in compared}


def _differ(alone: Labels, found: Labels) -> float:
    """Return the share of pixels that are an object's in one and background in the other."""
    return float(np.mean((alone > 0) != (found > 0)))


def _message(plane: Plane, name: str, line: str, alone: Labels, found: Labels, planes: int) -> str:  # noqa: PLR0913, PLR0917
    return (
        f"{plane} has other labels alone ({count_objects(alone)} objects) than in a stack of {planes} planes "
        f"({count_objects(found)} objects): {name} is declared {line}, but its labels depend on the planes that "
        "are launched together, so no plane of this run is stored. Declare it @per_volume if it needs all slices of a "
        "timepoint and channel, or @per_plane if it labels each plane by itself."
    )
