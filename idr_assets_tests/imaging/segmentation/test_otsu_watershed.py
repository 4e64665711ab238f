"""The recipe otsu_watershed: what it finds, splits, keeps and drops."""

import numpy as np
import pytest

from idr_assets.imaging.segmentation.functions import gaussian_threshold, otsu_watershed
from idr_assets_tests.support.drawn_planes import (
    COLUMNS,
    DTYPES,
    NAMED_PLANES,
    ROWS,
    SHAPE,
    TAKEN_AS_FLOAT32,
    Pixels,
    disc,
    discs,
    named_planes,
    whole,
)

pytestmark = pytest.mark.usefixtures("synchronous")


def camera(light: Pixels) -> Pixels:
    """Count photons and read them out with noise."""
    rng = np.random.default_rng(7)
    return (100 + rng.poisson(light) + rng.normal(0, 3, light.shape)).round().astype(">u2")


def objects_at(labels: Pixels, *points: tuple[int, int]) -> set[int]:
    """Collect the labels at points, without background."""
    return {int(labels[point]) for point in points} - {0}


def test_otsu_watershed_finds_on_uneven_light_what_gaussian_threshold_does_not() -> None:
    centres = [(12, 10), (50, 15), (30, 40), (12, 68), (52, 66)]
    light = 50 + 800 * np.exp(-((COLUMNS - 80) ** 2 + (ROWS - 30) ** 2) / 40**2)
    planes = whole(camera(light + 300 * discs(5, *centres))[None])
    (found,), (missed,) = otsu_watershed(planes).compute(), gaussian_threshold(planes).compute()
    assert found.max() == 5
    assert len(objects_at(missed, *centres)) < 5
    for y, x in centres:
        inside = disc(y, x, 5) > 0.5
        overlap = (found == found[y, x]) & inside
        assert overlap.sum() > 0.75 * ((found == found[y, x]) | inside).sum()


def test_otsu_watershed_splits_touching_discs_as_deep_as_asked() -> None:
    touching = whole(camera(50 + 400 * discs(8, (30, 30), (30, 44)))[None])
    (split,) = otsu_watershed(touching).compute()
    assert objects_at(split, (30, 30), (30, 44)) == {1, 2}
    left, right = np.bincount(split.ravel())[1:]
    assert left == pytest.approx(right, rel=0.1)
    assert otsu_watershed(touching, split_depth=8).compute().max() == 1


def test_otsu_watershed_keeps_an_elongated_object_whole() -> None:
    rod = discs(6, *[(30, x) for x in range(20, 56)])
    assert otsu_watershed(whole(camera(50 + 400 * rod)[None])).compute().max() == 1


def test_otsu_watershed_drops_objects_below_the_minimum_area() -> None:
    planes = whole(camera(50 + 400 * (disc(20, 20, 3) + disc(40, 50, 7)))[None])
    areas = np.bincount(otsu_watershed(planes, minimum_area=1).compute().ravel())[1:]
    assert len(areas) == 2
    smallest = int(areas.min())
    assert otsu_watershed(planes, minimum_area=smallest).compute().max() == 2
    (labels,) = otsu_watershed(planes, minimum_area=smallest + 1).compute()
    assert objects_at(labels, (20, 20), (40, 50)) == {1}


@pytest.mark.parametrize("dtype", DTYPES)
def test_otsu_watershed_takes_degenerate_planes_of_any_dtype(dtype: str) -> None:
    labels = otsu_watershed(whole(named_planes(dtype))).compute()
    counts = dict(zip(NAMED_PLANES, labels.max(axis=(1, 2)), strict=True))
    assert labels.dtype == np.int32
    assert [counts[name] for name in ("constant", "empty", "saturated", "one pixel")] == [0, 0, 0, 0]
    assert list(counts.values()) == [len(np.unique(plane)) - 1 for plane in labels]


def test_otsu_watershed_finds_nothing_in_noise_alone() -> None:
    assert otsu_watershed(whole(camera(np.full((4, *SHAPE), 200.0)))).compute().max() == 0


@pytest.mark.parametrize("dtype", TAKEN_AS_FLOAT32)
def test_masks_and_float16_are_taken_as_float32(dtype: str) -> None:
    planes = named_planes(dtype)
    own = otsu_watershed(whole(planes)).compute(), otsu_watershed(whole(planes.astype("f4"))).compute()
    np.testing.assert_array_equal(*own)


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (3, 2)])
def test_planes_smaller_than_the_filters_reach_are_labelled(shape: tuple[int, int]) -> None:
    labels = otsu_watershed(whole(np.ones((2, *shape), "u2"))).compute()
    assert labels.shape == (2, *shape)
    assert set(labels.ravel()) <= {0, 1}
