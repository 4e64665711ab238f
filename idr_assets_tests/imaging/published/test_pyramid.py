"""Smaller levels, compared with plain loops over whole planes."""

import math
from collections import Counter
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from idr_assets.imaging.published.pyramid import halve_labels, halve_pixels, level_shapes

SIDES = [(4, 6), (5, 7), (1, 4), (3, 1), (1, 1)]
DTYPES = ["u1", "u2", ">u2", "u4", "u8", "i1", "i2", "i8", "f2", "f4", "f8", "?"]


def corners(plane: npt.NDArray[Any], y: int, x: int) -> list[Any]:
    """List the pixels that exist of those that a smaller pixel stands for."""
    return [value.item() for value in plane[2 * y : 2 * y + 2, 2 * x : 2 * x + 2].ravel()]


def rounded_mean(values: list[int]) -> int:
    """Round to even without floating point."""
    whole, rest = divmod(sum(values), len(values))
    return whole + (2 * rest > len(values) or (2 * rest == len(values) and whole % 2))


@pytest.mark.parametrize("shape", SIDES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_pixels_are_means_in_their_dtype(shape: tuple[int, int], dtype: str) -> None:
    kind, random = np.dtype(dtype), np.random.default_rng(0)
    plane = random.normal(0, 100, shape).astype(kind)
    if kind.kind in "iu":
        ends = np.iinfo(kind)
        plane = random.choice(np.array([ends.min, ends.max, 0, 1, 2, 3, 7], kind), shape)
    found = halve_pixels(plane)
    assert (found.dtype, found.shape) == (kind.newbyteorder("="), ((shape[0] + 1) // 2, (shape[1] + 1) // 2))
    for y, x in np.ndindex(found.shape):
        values = corners(plane, y, x)
        if kind.kind == "f":
            wanted = math.fsum(values) / len(values)
            assert float(found[y, x]) == pytest.approx(wanted, rel=float(np.finfo(kind).eps))
        else:
            assert found[y, x] == rounded_mean(values)


def test_pixels_that_are_no_numbers_stay_so() -> None:
    plane = np.array([[np.nan, 1, np.inf, 1], [1, 1, -np.inf, 1]], "f4")
    assert np.isnan(halve_pixels(plane)).all()
    assert halve_pixels(np.full((2, 2), np.finfo("f8").max)) == np.finfo("f8").max


@pytest.mark.parametrize("shape", [(8, 8), *SIDES])
def test_labels_are_the_most_frequent_ones_above_0(shape: tuple[int, int]) -> None:
    for seed in range(20):
        plane = np.random.default_rng(seed).integers(0, 4, shape, np.int32)
        found = halve_labels(plane)
        assert found.dtype == np.int32
        for y, x in np.ndindex(found.shape):
            counts = Counter(label for label in corners(plane, y, x) if label)
            most = max(counts.values(), default=0)
            assert found[y, x] == min((label for label, count in counts.items() if count == most), default=0)


def test_a_line_of_one_pixel_stays() -> None:
    plane = np.zeros((64, 64), np.int32)
    plane[31] = 7
    for _ in range(6):
        plane = halve_labels(plane)
        assert (plane == 7).any(axis=0).all()


@pytest.mark.parametrize(
    ("shape", "wanted"),
    [
        ((128, 135), [(128, 135)]),
        ((256, 257), [(256, 257), (128, 129)]),
        ((9000, 12001), [(9000, 12001), (4500, 6001), (2250, 3001), (1125, 1501), (563, 751), (282, 376), (141, 188)]),
    ],
)
def test_levels_end_at_256_pixels(shape: tuple[int, int], wanted: list[tuple[int, int]]) -> None:
    assert level_shapes(shape) == wanted
