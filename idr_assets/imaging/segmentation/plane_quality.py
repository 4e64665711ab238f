"""Which planes look wrong: pixels that are of no use, and numbers of objects unlike those around.

Judges numbers that were measured before; reads no pixels and decides nothing.
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
"""Standard deviations of a count. Of planes that have nothing in common, chance takes two in a thousand further from
their neighbours; planes beside each other share most objects, so that it takes fewer."""

FEWEST = 9
"""A number of objects scatters as this one at least: a dozen may come or go from slice to slice."""


def unusable(summary: PlaneSummary) -> str | None:
    """Say why the pixels of a plane are of no use, or None.

    They are blank, no finite numbers, or too many of them are at the largest value of their dtype.
    """
    if not (math.isfinite(summary.minimum) and math.isfinite(summary.maximum)):
        return f"holds pixels that are no finite numbers, from {summary.minimum:g} to {summary.maximum:g}"
    if summary.minimum == summary.maximum:
        return f"blank, all pixels are {summary.minimum:g}"
    if summary.saturated is not None and summary.saturated > MOST_SATURATED:
        return f"saturated, {summary.saturated:.2%} of the pixels are {summary.maximum:g}"
    return None


def expected_objects(objects: Mapping[Plane, int], stored: Callable[[Plane], int | None]) -> dict[Plane, int]:
    """Give for each plane the number of objects that its neighbours let expect; planes without any are left out.

    Neighbours are the planes at t - 1, t + 1, z - 1 and z + 1 of the same channel that are in `objects`; a plane that
    has none there takes those that `stored` counts. Expected is their median. Of an even number, any value between the
    two in the middle is one: that nearest to the plane's own count is taken, so that a far plane does not make the
    planes beside it look far.
    """
    expected = {}
    for plane, count in objects.items():
        around = _neighbours(plane)
        known = [objects[other] for other in around if other in objects]
        known = known or [found for other in around if (found := stored(other)) is not None]
        if known:
            expected[plane] = min(max(count, median_low(known)), median_high(known))
    return expected


def is_far(count: int, expected: int) -> bool:
    """Tell whether a number of objects is no chance result where so many are expected.

    Counts scatter as Poisson's distribution says, by the square root of the expected number. Far is what lies more than
    `FAR` times that away, where the expected number is taken as `FEWEST` at least.
    """
    return bool(abs(count - expected) > FAR * max(expected, FEWEST) ** 0.5)


def _neighbours(plane: Plane) -> list[Plane]:
    beside = [replace(plane, t=plane.t + step) for step in (-1, 1)]
    return beside + [replace(plane, z=plane.z + step) for step in (-1, 1)]
