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
    shares = np.array(
        [[((one == a) & (other == b)).sum() / ((one == a) | (other == b)).sum() for b in others] for a in names]
    ).reshape(len(names), len(others))
    enough = shares >= iou
    chosen = linear_sum_assignment(enough, maximize=True)
    return Agreement(len(names), len(others), int(enough[chosen].sum()), float((enough * shares)[chosen].sum()))


@given(PLANES, PLANES, st.sampled_from([0.5, 0.75, 1.0]))
def test_as_many_objects_match_as_can(one: Labels, other: Labels, iou: float) -> None:
    found, wanted = match_objects(one, other, iou), expected(one, other, iou)
    assert found[:3] == wanted[:3]
    assert found.overlap == pytest.approx(wanted.overlap)
    for whole in (one, np.repeat(np.repeat(one, 2, 0), 2, 1)):
        assert match_objects(whole, whole, iou).f1 == 1


def test_of_two_halves_of_an_object_one_matches() -> None:
    whole, halves = np.array([[1, 1, 1, 1, 0]]), np.array([[1, 1, 2, 2, 0]])
    assert match_objects(whole, halves, 0.5) == (1, 2, 1, 0.5)
    assert match_objects(halves, whole, 0.5) == (2, 1, 1, 0.5)
    assert match_objects(whole, halves, 0.5).f1 == pytest.approx(2 / 3)


def stardist(true: int, predicted: int, ious: list[float], threshold: float) -> dict[str, float]:
    """Score as the published `matching` of StarDist does, where every IoU belongs to another pair."""
    matched = [iou for iou in ious if iou >= threshold]
    tp = len(matched)
    fp, fn = predicted - tp, true - tp
    return {
        "precision": tp / (tp + fp) if tp else 0,
        "recall": tp / (tp + fn) if tp else 0,
        "f1": 2 * tp / (2 * tp + fp + fn) if tp else 0,
        "panoptic_quality": sum(matched) / (tp + fp / 2 + fn / 2) if tp else 0,
    }


@pytest.mark.parametrize("threshold", [0.5, 0.75, 1.0])
def test_scores_are_those_that_stardist_publishes(threshold: float) -> None:
    truth, found = np.zeros((2, 9, 50), int)
    pairs = [((0, 8), (0, 8)), ((10, 18), (11, 18)), ((20, 28), (22, 29)), ((30, 38), (35, 40)), ((41, 45), (46, 50))]
    ious = []
    for number, ((start, stop), (first, last)) in enumerate(pairs, 1):
        truth[:, start:stop], found[:, first:last] = number, number
        both = max(0, min(stop, last) - max(start, first))
        ious.append(both / (stop - start + last - first - both))
    found[0, 9] = 9
    scores = match_objects(found, truth, threshold)
    wanted = stardist(5, 6, ious, threshold)
    assert {name: getattr(scores, name) for name in wanted} == pytest.approx(wanted)


def test_planes_without_objects_agree() -> None:
    empty, one = np.zeros((3, 3), int), np.eye(3, dtype=int)
    for name in ("f1", "precision", "recall", "panoptic_quality"):
        assert getattr(match_objects(empty, empty, 0.5), name) == 1
        assert getattr(match_objects(empty, one, 0.5), name) == getattr(match_objects(one, empty, 0.5), name) == 0


def test_an_overlap_at_which_objects_match_several_is_refused() -> None:
    with pytest.raises(ValueError, match=r"overlap of 0\.4.*at least 0\.5"):
        match_objects(np.ones((1, 1), int), np.ones((1, 1), int), 0.4)
