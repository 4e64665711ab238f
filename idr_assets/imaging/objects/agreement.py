"""How well two segmentations of a plane agree: which objects are in both, by their overlap."""

from typing import NamedTuple

import numpy as np

from idr_assets.imaging.overlaps import LabelPlane, find_overlaps


class Agreement(NamedTuple):
    """How well two labellings of a plane agree.

    Attributes
    ----------
    one, other : int
        Number of objects of each.
    matched : int
        Objects that both have.
    overlap : float
        Sum of the intersection over union of these.

    """

    one: int
    other: int
    matched: int
    overlap: float

    @property
    def f1(self) -> float:
        """Share of the objects of both that are matched, 0 to 1; 1 if neither has any."""
        return 2 * self.matched / (self.one + self.other) if self.one + self.other else 1.0

    @property
    def precision(self) -> float:
        """Share of the objects of `one` that `other`, a reference, has too; 1 if neither has any, 0 if one has none."""
        return self.matched / self.one if self.one else float(not self.other)

    @property
    def recall(self) -> float:
        """Share of the objects of `other`, a reference, that `one` has too; 1 if neither has any."""
        return self.matched / self.other if self.other else float(not self.one)

    @property
    def panoptic_quality(self) -> float:
        """F1 times the mean intersection over union of matched objects; 1 if neither has any."""
        return 2 * self.overlap / (self.one + self.other) if self.one + self.other else 1.0


def match_objects(one: LabelPlane, other: LabelPlane, iou: float) -> Agreement:
    """Match the objects of two label planes (y, x) whose intersection over union is at least `iou`.

    Parameters
    ----------
    one, other
        Of any integer dtype, 0 for the background; labels may have gaps.
    iou
        At least 0.5, so that an object matches one other. Of two halves of an object, which both have 0.5, one counts.

    Raises
    ------
    ValueError
        If `iou` is less than 0.5.
    """
    if iou < 0.5:  # noqa: PLR2004  see above
        message = f"Objects are not matched at an overlap of {iou}: one could match several others. Give at least 0.5."
        raise ValueError(message)
    found = find_overlaps(one, other)
    enough = found.iou >= iou
    matched, matches = found.one[enough], found.other[enough]
    # Two halves and their whole are two pairs of three objects; any other pair is alone.
    pairs = len(np.unique(matched)) + len(np.unique(matches)) - len(matched)
    overlap = float(found.iou[enough].sum()) - 0.5 * (len(matched) - pairs)  # each half that does not count has 0.5
    return Agreement(_count(one), _count(other), pairs, overlap)


def _count(labels: LabelPlane) -> int:
    return int(np.count_nonzero(np.unique(labels) > 0))
