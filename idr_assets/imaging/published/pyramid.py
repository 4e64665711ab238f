"""Halve planes for the smaller levels of a published image.

A pixel of the smaller plane stands for 2 x 2 pixels; at the end of an odd side for those that exist.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

SMALLEST = 256
"""Height and width in pixels of the smallest level at most."""


def level_shapes(shape: tuple[int, int]) -> list[tuple[int, int]]:
    """List the shapes (y, x) of all levels of planes of a shape, from the plane itself."""
    shapes = [shape]
    while max(shapes[-1]) > SMALLEST:
        height, width = shapes[-1]
        shapes.append(((height + 1) // 2, (width + 1) // 2))
    return shapes


def halve_pixels(plane: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the mean of each 2 x 2 pixels of a plane (y, x), in its dtype; halves are rounded to even numbers."""
    corners = _corners(plane)
    if plane.dtype.kind == "f":
        with np.errstate(over="ignore", invalid="ignore"):  # infinite pixels, and means that float16 has no number for
            quarters = [corner.astype(np.float64) / 4 for corner in corners]
            rows = quarters[0] + quarters[1], quarters[2] + quarters[3]
            return (rows[0] + rows[1]).astype(plane.dtype)
    if plane.dtype.kind == "b":
        return halve_pixels(plane.view(np.uint8)).astype(bool)
    # Quarters and rests apart, so that no sum leaves the range of the dtype.
    mean: npt.NDArray[Any] = sum((corner >> 2 for corner in corners), np.zeros_like(corners[0]))
    rest: npt.NDArray[Any] = sum((corner & 3 for corner in corners), np.zeros_like(corners[0]))
    mean += rest >> 2
    rest &= 3
    mean += (rest == 3) | ((rest == 2) & (mean & 1).astype(bool))  # noqa: PLR2004  quarters
    return mean


def halve_labels(plane: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """Return the most frequent label above 0 of each 2 x 2 pixels of a plane (y, x): the smallest of several.

    It is 0 only where all four are, so that thin objects stay. Labels are 0 or more.
    """
    corners = _corners(plane)
    found = corners[0].copy()
    mixed = found != corners[1]
    mixed |= found != corners[2]
    mixed |= found != corners[3]
    found[mixed] = _most_frequent([corner[mixed] for corner in corners])  # few of all: the borders of objects
    return found


def _most_frequent(corners: list[npt.NDArray[np.int32]]) -> npt.NDArray[np.int32]:
    first, second, third, last = _sort(corners)
    smallest = np.where(second, second, np.where(third, third, last))
    smallest = np.where(first, first, smallest)
    twice = np.where(third == last, third, 0)
    twice = np.where((second == third) & (second > 0), second, twice)
    twice = np.where((first == second) & (first > 0), first, twice)
    return np.where(twice, twice, smallest)


def _sort(four: list[npt.NDArray[np.int32]]) -> list[npt.NDArray[np.int32]]:
    """Sort four planes at each pixel; numpy's sort takes three times as long for so few."""
    for one, other in ((0, 1), (2, 3), (0, 2), (1, 3), (1, 2)):
        four[one], four[other] = np.minimum(four[one], four[other]), np.maximum(four[one], four[other])
    return four


def _corners(plane: npt.NDArray[Any]) -> list[npt.NDArray[Any]]:
    """Return the four pixels that each smaller one stands for; the last of an odd side count twice."""
    odd = [(0, length % 2) for length in plane.shape]
    even = np.pad(plane, odd, mode="edge") if any(map(any, odd)) else plane
    return [even[y::2, x::2] for y in (0, 1) for x in (0, 1)]
