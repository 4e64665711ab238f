"""The colours of labels, and which object gets which.

Labels in, rows of `PALETTE` out; `colours` draws them over pixels.
"""

import colorsys
from collections.abc import Iterable
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt
import skimage  # loads each submodule at its first use

type Labels = npt.NDArray[np.integer[Any]]
type Bytes = npt.NDArray[np.uint8]

# Okabe and Ito's colours, the blue lightened and a mint added for dark ground: at least 10 CIEDE2000 apart from
# each other also for protan, deutan and tritan eyes.
_DISTINCT = ("#e69f00", "#56b4e9", "#009e73", "#f0e442", "#2f7fe0", "#d55e00", "#cc79a7", "#a0ffc0")
_FIRST, _FURTHER = range(1, len(_DISTINCT) + 1), range(len(_DISTINCT) + 1, 256)
_GOLDEN = 0.618034
PALETTE: Bytes = np.array(
    [
        (0, 0, 0),
        *(tuple(bytes.fromhex(colour[1:])) for colour in _DISTINCT),
        *(tuple(round(255 * share) for share in colorsys.hsv_to_rgb(i * _GOLDEN % 1, 0.6, 0.9)) for i in _FURTHER),
    ],
    np.uint8,
)
"""(256, 3) RGB: row 0 is the background, rows 1 to 8 are used first, the others only if eight are not enough."""

_REACH = 1 / 12  # of the longer side: objects this close look adjacent
_NUMBER = np.int64(32)  # bits of a label within a pair


def label_colours(labels: Labels) -> Bytes:
    """Return the row of `PALETTE` of each pixel (y, x), 0 for the background; neighbours never share one.

    Neighbours are objects that touch, or would touch if each grew by about a twelfth of the plane. Greedy
    colouring, most neighbours first (Welsh and Powell, Computer Journal 10, 1967), takes the least used of the free
    colours. Colours run out only if more than 255 scattered labels all touch.
    """
    objects, pairs = _objects(labels), _neighbours(labels)
    ones, others = pairs >> _NUMBER, (pairs & (1 << _NUMBER) - 1).tolist()
    starts, ends = (np.searchsorted(ones, objects, side) for side in ("left", "right"))
    order = np.argsort(starts - ends, kind="stable")
    colour, used = [0] * (int(labels.max(initial=0)) + 1), [0] * len(PALETTE)
    for label, start, end in zip(*(numbers[order].tolist() for numbers in (objects, starts, ends)), strict=True):
        taken = {colour[other] for other in others[start:end]}
        free = [c for c in _FIRST if c not in taken] or [c for c in _FURTHER if c not in taken][:1] or [_FURTHER[-1]]
        colour[label] = min(free, key=used.__getitem__)
        used[colour[label]] += 1
    return np.array(colour, np.uint8)[labels]


def lay_beside[T: np.generic](plane: npt.NDArray[T]) -> Iterable[tuple[npt.NDArray[T], npt.NDArray[T]]]:
    """Pair each pixel with its neighbour to the right, below, and on both diagonals, as views of `plane`."""
    yield plane[:, :-1], plane[:, 1:]
    yield plane[:-1], plane[1:]
    yield plane[:-1, :-1], plane[1:, 1:]
    yield plane[:-1, 1:], plane[1:, :-1]


def _objects(labels: Labels) -> Labels:
    return np.unique(labels[labels > 0])


def _neighbours(labels: Labels) -> npt.NDArray[np.int64]:
    """Return all pairs of neighbours, diagonals included; each pair in both orders, sorted.

    A pair is one number: the first label in the upper bits, the second in the lower ones.
    """
    coarse = labels[::2, ::2]  # takes a quarter of the time
    if len(_objects(coarse)) < len(_objects(labels)):
        coarse = labels
    expanded = skimage.segmentation.expand_labels(coarse, max(coarse.shape) * _REACH + 1)
    beside = [_beside(*views) for views in chain(lay_beside(labels), lay_beside(expanded))]
    pairs = np.concatenate([pair for one, other in beside for pair in (one << _NUMBER | other, other << _NUMBER | one)])
    return np.unique(pairs)


def _beside(one: Labels, other: Labels) -> npt.NDArray[np.int64]:
    """Return the labels (2, n) where two different objects meet."""
    objects = (one != other) & (one > 0) & (other > 0)
    return np.stack([one[objects], other[objects]]).astype(np.int64)
