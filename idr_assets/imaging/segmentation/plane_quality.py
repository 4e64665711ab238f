"""Find planes that look wrong: pixels that are of no use, and numbers of objects unlike those of the neighbours.

Only numbers that were measured before are judged; no pixels are read.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from statistics import median_high, median_low

from idr_assets.imaging.planes import Plane
from idr_assets.imaging.segmentation.plane_results import PlaneSummary

MOST_SATURATED = 0.01
"""Share of saturated pixels above which a plane is of no use: their true intensities are lost."""

FAR = 4.0
"""Standard deviations of a count. Of planes that have nothing in common, two in a thousand are further from their
neighbours by chance; neighbouring planes share most objects, so that fewer are."""

FEWEST = 9
"""Smaller numbers of objects vary as this one does: a dozen objects may come or go from slice to slice."""


def find_fault(summary: PlaneSummary) -> str | None:
    """Say why the pixels of a plane are of no use, or None.

    They are blank, not finite, or too many of them are at the largest value of their dtype.
    """
    if not (math.isfinite(summary.minimum) and math.isfinite(summary.maximum)):
        return f"holds pixels that are not finite numbers, from {summary.minimum:g} to {summary.maximum:g}"
    if summary.minimum == summary.maximum:
        return f"blank, all pixels are {summary.minimum:g}"
    if summary.saturated is not None and summary.saturated > MOST_SATURATED:
        return f"saturated, {summary.saturated:.2%} of the pixels are {summary.maximum:g}"
    return None


def expect_objects(objects: Mapping[Plane, int], stored: Callable[[Plane], int | None]) -> dict[Plane, int]:
    """Return the number of objects that the neighbours of each plane suggest.

    It is the median of the neighbours' counts. If their number is even, every value between the two in the middle is a
    median; the one nearest to the plane's own count is used, so that an unusual plane does not make its neighbours look
    unusual.

    Parameters
    ----------
    objects
        Number of objects of each plane.
    stored
        Counts the objects of a plane that an earlier run stored; None if there are none.

    Returns
    -------
    dict
        The number for each plane that has a neighbour: a plane of the same channel at t - 1, t + 1, z - 1 or z + 1 that
        is in `objects`, or, if there is none, one that `stored` knows.
    """
    expected = {}
    for plane, count in objects.items():
        around = _list_neighbours(plane)
        known = [objects[other] for other in around if other in objects]
        known = known or [found for other in around if (found := stored(other)) is not None]
        if known:
            expected[plane] = min(max(count, median_low(known)), median_high(known))
    return expected


def is_far(count: int, expected: int) -> bool:
    """Return whether a number of objects is further from the expected one than chance explains.

    Counts vary by the square root of the expected number, as in Poisson's distribution. A count is far if it differs by
    more than `FAR` times that; expected numbers below `FEWEST` count as `FEWEST`.
    """
    return bool(abs(count - expected) > FAR * max(expected, FEWEST) ** 0.5)


def _list_neighbours(plane: Plane) -> list[Plane]:
    beside = [replace(plane, t=plane.t + step) for step in (-1, 1)]
    return beside + [replace(plane, z=plane.z + step) for step in (-1, 1)]
