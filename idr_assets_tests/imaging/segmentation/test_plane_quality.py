"""Which planes look wrong: what is planted is found, and nothing else."""

from itertools import product

import numpy as np
import pytest

from idr_assets.imaging.planes import Plane
from idr_assets.imaging.segmentation.plane_quality import expect_objects, find_fault, is_far
from idr_assets.imaging.segmentation.plane_results import PlaneSummary


def summary(minimum: float, maximum: float, saturated: float | None) -> PlaneSummary:
    return PlaneSummary(Plane(0, 0, 0), 1, None, 0.5, minimum, maximum, saturated, 0.1, "")


def nothing(_: Plane) -> None:
    """Know of no stored plane."""


def far(objects: dict[Plane, int]) -> list[Plane]:
    expected = expect_objects(objects, nothing)
    return [plane for plane in expected if is_far(objects[plane], expected[plane])]


def counts(mean: float, seed: int = 0) -> dict[Plane, int]:
    """Draw the counts of 10 x 10 planes of two channels at random."""
    random = np.random.default_rng(seed)
    return {Plane(*where): int(random.poisson(mean)) for where in product(range(10), range(2), range(10))}


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (summary(100, 100, 0.0), "blank, all pixels are 100"),
        (summary(0, 255, 0.011), "saturated, 1.10% of the pixels are 255"),
        (summary(65535, 65535, 1.0), "blank, all pixels are 65535"),
        (summary(0, 255, 0.01), None),
        (summary(0.0, 1.0, None), None),
        (summary(float("nan"), float("nan"), None), "holds pixels that are not finite numbers, from nan to nan"),
        (summary(0.0, float("inf"), None), "holds pixels that are not finite numbers, from 0 to inf"),
    ],
)
def test_blank_and_saturated_planes_are_of_no_use(found: PlaneSummary, reason: str | None) -> None:
    assert find_fault(found) == reason


@pytest.mark.parametrize("mean", [0, 1, 5, 30, 1000])
def test_chance_alone_hardly_ever_makes_a_count_far(mean: float) -> None:
    assert sum(len(far(counts(mean, seed))) for seed in range(10)) <= 6  # of 2,000 that have nothing in common


@pytest.mark.parametrize("plane", [Plane(0, 0, 0), Plane(0, 1, 5), Plane(4, 0, 7), Plane(9, 1, 9)])
@pytest.mark.parametrize(("mean", "planted"), [(1, 20), (50, 0), (30, 90), (1000, 600), (1000, 1500)])
def test_a_far_count_is_found_wherever_it_is_and_no_other(plane: Plane, mean: float, planted: int) -> None:
    assert far(counts(mean) | {plane: planted}) == [plane]


@pytest.mark.parametrize(
    ("count", "expected", "result"),
    [(12, 0, False), (13, 0, True), (140, 100, False), (141, 100, True), (60, 100, False), (59, 100, True)],
)
def test_far_is_more_than_four_standard_deviations_of_a_count(count: int, expected: int, result: bool) -> None:  # noqa: FBT001
    assert is_far(count, expected) is result


def test_a_count_far_from_its_only_neighbour_is_as_likely_wrong_as_that() -> None:
    assert far({Plane(0, 0, 0): 30, Plane(1, 0, 0): 90}) == [Plane(0, 0, 0), Plane(1, 0, 0)]


def test_counts_that_rise_steeply_along_z_are_not_far() -> None:
    assert far({Plane(0, 0, z): count for z, count in enumerate((0, 10, 25, 60, 120, 200))}) == [Plane(0, 0, 5)]


@pytest.mark.parametrize(
    ("beside", "expected"),
    [({(0, 1): 10}, 10), ({(0, 1): 10, (2, 1): 40}, 20), ({(0, 1): 30, (2, 1): 40, (1, 0): 50}, 40), ({}, None)],
)
def test_expected_is_the_median_of_the_neighbours_that_is_nearest(
    beside: dict[tuple[int, int], int], expected: int | None
) -> None:
    objects = {Plane(t, 0, z): count for (t, z), count in beside.items()}
    others = {Plane(1, 1, 1): 99, Plane(2, 0, 2): 99, Plane(3, 0, 1): 99}  # another channel, and further away
    assert expect_objects({Plane(1, 0, 1): 20} | objects | others, nothing).get(Plane(1, 0, 1)) == expected


def test_stored_neighbours_count_for_planes_without_any_in_the_run_only() -> None:
    stored = {Plane(1, 0, 4): 7, Plane(2, 0, 5): 8, Plane(1, 0, 6): 9, Plane(0, 0, 0): 1}
    assert expect_objects({Plane(1, 0, 5): 100}, stored.get) == {Plane(1, 0, 5): 8}
    expected = expect_objects({Plane(1, 0, 5): 100, Plane(0, 0, 5): 50}, stored.get)
    assert expected == {Plane(1, 0, 5): 50, Plane(0, 0, 5): 100}
