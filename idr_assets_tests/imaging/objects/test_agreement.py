"""Objects of two segmentations are matched as the best assignment of all pairs matches them."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import linear_sum_assignment

from idr_assets.imaging.objects.agreement import Agreement, match_objects

type Labels = npt.NDArray[np.int32]

PLANES = arrays(np.int32, (5, 6), elements=st.sampled_from([0, 0, 1, 2, 3, 9]))


def expected(one: Labels, other: Labels, iou: float) -> Agreement:
    """Compare each object with each, and assign as many as possible."""
    names, others = (np.unique(plane[plane > 0]) for plane in (one, other))
    enough = np.array(
        [[((one == a) & (other == b)).sum() / ((one == a) | (other == b)).sum() >= iou for b in others] for a in names]
    ).reshape(len(names), len(others))
    chosen = linear_sum_assignment(enough, maximize=True)
    return Agreement(len(names), len(others), int(enough[chosen].sum()))


@given(PLANES, PLANES, st.sampled_from([0.5, 0.75, 1.0]))
def test_as_many_objects_match_as_can(one: Labels, other: Labels, iou: float) -> None:
    assert match_objects(one, other, iou) == expected(one, other, iou)
    for whole in (one, np.repeat(np.repeat(one, 2, 0), 2, 1)):
        assert match_objects(whole, whole, iou).f1 == 1


def test_of_two_halves_of_an_object_one_matches() -> None:
    whole, halves = np.array([[1, 1, 1, 1, 0]]), np.array([[1, 1, 2, 2, 0]])
    assert match_objects(whole, halves, 0.5) == match_objects(halves, whole, 0.5)._replace(one=1, other=2) == (1, 2, 1)
    assert match_objects(whole, halves, 0.5).f1 == pytest.approx(2 / 3)


def test_planes_without_objects_agree() -> None:
    empty, one = np.zeros((3, 3), int), np.eye(3, dtype=int)
    assert (match_objects(empty, empty, 0.5).f1, match_objects(empty, one, 0.5).f1) == (1, 0)


def test_an_overlap_at_which_objects_match_several_is_refused() -> None:
    with pytest.raises(ValueError, match=r"overlap of 0\.4.*at least 0\.5"):
        match_objects(np.ones((1, 1), int), np.ones((1, 1), int), 0.4)
