"""Labels from StarDist's outputs: probabilities, and distances from each pixel to its object's edge along rays."""

from typing import Any

import numpy as np
import numpy.typing as npt
import skimage

from idr_assets.imaging.segmentation.label_numbers import Labels
from idr_assets.imaging.segmentation.models.extras import import_extra

type Array = npt.NDArray[Any]

BORDER = 2
"""Pixels of the network's grid at the edge of a plane whose polygons are left out, as by StarDist."""


def label_stars(
    probability: Array, distances: Array, shape: tuple[int, int], *, threshold: float, overlap: float
) -> Labels:
    """Label the polygons that are most probable where they overlap, equal to StarDist's own code.

    Parameters
    ----------
    probability
        (y, x) of float32, on a grid that divides the plane's shape by a whole number or less.
    distances
        (y, x, rays) of float32, in pixels of the plane.
    shape
        Height and width of the plane.
    threshold
        Probability above which a pixel has a polygon.
    overlap
        Share of the smaller of two polygons above which the less probable one is dropped.

    Returns
    -------
    numpy.ndarray
        Labels (y, x) of int32, the most probable object first; hidden ones leave gaps.
    """
    inside = np.zeros(probability.shape, bool)
    inside[BORDER:-BORDER, BORDER:-BORDER] = probability[BORDER:-BORDER, BORDER:-BORDER] > threshold
    order = np.argsort(probability[inside])[::-1]
    step = [-(-length // own) for length, own in zip(shape, probability.shape, strict=True)]
    points, rays = (np.argwhere(inside) * step)[order], distances[inside][order]
    kept = _suppress(points.astype(np.float32), rays, overlap)
    angles = np.linspace(0, 2 * np.pi, rays.shape[1], endpoint=False)
    corners = (rays[kept, np.newaxis] * np.array([np.sin(angles), np.cos(angles)])).astype(np.float32)
    corners += points[kept, :, np.newaxis]
    labels = np.zeros(shape, np.int32)
    for at in np.argsort(probability[inside][order][kept], kind="stable"):  # the most probable lies on top
        y, x = corners[at]
        labels[skimage.draw.polygon(y, x, shape)] = at + 1
    return labels


def _suppress(points: Array, rays: Array, overlap: float) -> npt.NDArray[np.intp]:
    """Return the polygons, the most probable first, of which none overlaps one before it too much."""
    angles = np.arange(rays.shape[1], dtype=np.float32) * np.float32(2 * np.pi / rays.shape[1])
    y, x = points[:, :1] + rays * np.sin(angles), points[:, 1:] + rays * np.cos(angles)
    low, high = (np.stack([each(x, axis=1), each(y, axis=1)], axis=1) for each in (np.min, np.max))
    polygons = np.stack([x, y], axis=2).astype(np.int64)  # whole pixels, as StarDist's
    areas = [_measure(polygon) for polygon in polygons]
    left = np.arange(len(points))
    kept = []
    while len(left):
        first, left = left[0], left[1:]
        kept.append(first)
        near = ((low[left] <= high[first]) & (low[first] <= high[left])).all(axis=1)
        lost = [
            at
            for at in left[near]
            if _intersect(polygons[first], polygons[at]) > overlap * max(min(areas[first], areas[at]), 1e-10)
        ]
        left = np.setdiff1d(left, lost, assume_unique=True)
    return np.array(kept, np.intp)


def _measure(polygon: Array) -> float:
    """Return the area of a polygon (corners, 2)."""
    after = np.roll(polygon, -1, axis=0)
    return abs(float(np.sum(polygon[:, 0] * after[:, 1] - polygon[:, 1] * after[:, 0]))) / 2


def _intersect(one: Array, other: Array) -> float:
    """Return the area that two polygons share, by the library that StarDist uses for it."""
    pyclipper = import_extra("pyclipper", "onnx")
    clipper = pyclipper.Pyclipper()
    try:
        clipper.AddPath(one, pyclipper.PT_CLIP, True)  # noqa: FBT003  theirs
        clipper.AddPath(other, pyclipper.PT_SUBJECT, True)  # noqa: FBT003
    except pyclipper.ClipperException:  # of a polygon without area
        return 0.0
    parts = clipper.Execute(pyclipper.CT_INTERSECTION, pyclipper.PFT_NONZERO, pyclipper.PFT_NONZERO)
    return sum(_measure(np.array(part)) for part in parts)
