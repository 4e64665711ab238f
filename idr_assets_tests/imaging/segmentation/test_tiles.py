"""Labels of a plane that is cut into tiles: the same wherever it is cut, and those of the plane in one piece."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import dask.array as da
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from idr_assets.imaging.planes import Plane
from idr_assets.imaging.segmentation import in_tiles, otsu_watershed_3d, per_batch, per_plane, per_stack
from idr_assets.imaging.segmentation.cutting import make_form
from idr_assets.imaging.segmentation.foreground import find_foreground
from idr_assets.imaging.segmentation.functions import gaussian_threshold, otsu_watershed
from idr_assets.imaging.segmentation.labelling import Part
from idr_assets.imaging.segmentation.tiles.arrays import label_array
from idr_assets.imaging.segmentation.tiles.gaussian import GaussianTiles
from idr_assets.imaging.segmentation.tiles.medians import count_high, count_low, find_ranks, take_median
from idr_assets.imaging.segmentation.tiles.otsu import OtsuTiles
from idr_assets.imaging.segmentation.works_on import works_on
from idr_assets_tests.support.tiled_arrays import draw_nuclei

pytestmark = pytest.mark.usefixtures("synchronous")

SIDES = st.tuples(st.integers(14, 70), st.integers(14, 70))
GAUSSIAN = GaussianTiles(sigma=1.0, threshold_fraction=0.33)
OTSU = OtsuTiles(sigma=1.0, background_sigma=6.0, minimum_area=8, split_depth=0.5)

SPOTS = np.logical_and.outer(np.arange(80) % 20 < 14, np.arange(90) % 20 < 14)
"""Where objects may be, so that none is longer than 17 pixels."""

type Pixels = npt.NDArray[Any]


def in_one_piece(plane: Pixels, function: Any, **parameters: float) -> Pixels:  # noqa: ANN401
    labels: Pixels = function(da.from_array(plane[np.newaxis]), **parameters).compute()[0]
    return labels


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), side=SIDES, dtype=st.sampled_from(["u1", "u2", "f4", "i2"]), many=st.booleans())
def test_a_threshold_by_tiles_gives_bit_for_bit_the_labels_of_the_plane(
    seed: int, side: tuple[int, int], dtype: str, *, many: bool
) -> None:
    random = np.random.default_rng(seed)
    plane = (random.random((60, 70)) < 0.45).astype(dtype) * 9 if many else draw_nuclei(seed, (60, 70), dtype)
    form = GaussianTiles(sigma=0.0, threshold_fraction=0.33) if many else GAUSSIAN
    labels, found = label_array(form, plane, side)
    expected = in_one_piece(plane, gaussian_threshold, sigma=form.sigma)
    np.testing.assert_array_equal(labels, expected)
    assert found.objects == expected.max()
    assert labels.dtype == np.int32


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 10**6), side=SIDES)
def test_a_watershed_by_tiles_does_not_depend_on_the_tiles(seed: int, side: tuple[int, int]) -> None:
    plane = draw_nuclei(seed, (60, 70))
    labels, found = label_array(OTSU, plane, side)
    whole, _ = label_array(OTSU, plane, plane.shape)
    np.testing.assert_array_equal(labels, whole)
    foreground = find_foreground(plane, OTSU.sigma, OTSU.background_sigma)
    assert not (labels[~foreground]).any()
    assert sorted(np.unique(labels)) == [*range(found.objects + 1)]


def test_a_watershed_by_tiles_differs_from_one_piece_only_where_halves_are_equally_deep() -> None:
    plane = draw_nuclei(3, (200, 180))
    labels, found = label_array(OTSU, plane, (64, 64))
    expected = in_one_piece(plane, otsu_watershed, background_sigma=6.0, minimum_area=8)
    assert found.objects == expected.max() > 50
    np.testing.assert_array_equal(labels > 0, expected > 0)
    assert np.count_nonzero(labels != expected) < 0.01 * np.count_nonzero(expected)


@pytest.mark.parametrize("value", [0, 7])
def test_a_blank_plane_has_no_objects(value: int) -> None:
    labels, found = label_array(OTSU, np.full((40, 50), value, np.uint16), (16, 16))
    assert not labels.any()
    assert not found.objects


def test_a_plane_with_nan_is_refused_as_in_one_piece() -> None:
    plane = draw_nuclei(0, (40, 50), np.float32)
    plane[20, 20] = np.nan
    with pytest.raises(ValueError, match="finite"):
        label_array(OTSU, plane, (16, 16))
    with pytest.raises(ValueError, match="finite"):
        in_one_piece(plane, otsu_watershed)


@pytest.mark.parametrize("number", [1, 2, 1000, 1001])
def test_the_median_of_parts_is_that_of_all(number: int) -> None:
    values = np.abs(np.random.default_rng(number).normal(0, 3, number)).astype(np.float32)
    values[: number // 3] = 1.5
    parts = np.array_split(values, 7)
    ranks = find_ranks(sum(map(count_high, parts), np.zeros(2**16, np.int64)))
    found = take_median(sum(count_low(part, ranks) for part in parts), ranks)  # type: ignore[arg-type]
    assert found == np.median(values)
    assert found.dtype == np.float32


def bright_of(plane: Pixels, level: float) -> Pixels:
    labels: Pixels = ndimage.label(ndimage.gaussian_filter(plane, 1) > level)[0]
    return labels


@in_tiles(20)
@per_plane
def bright(plane: Pixels, *, level: float = 120.0) -> Pixels:
    """Label what is bright, in an order of its own."""
    labels = bright_of(plane, level)
    return np.where(labels, labels.max() + 1 - labels, 0)


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 10**6), side=SIDES)
def test_objects_smaller_than_the_overlap_are_those_of_the_plane(seed: int, side: tuple[int, int]) -> None:
    plane = np.full((80, 90), 60, np.uint16)
    plane[SPOTS] = draw_nuclei(seed, (80, 90))[SPOTS]
    expected = bright_of(plane, 110)
    labels, found = label_array(make_form(works_on(bright), {"level": 110.0}), plane, side)
    np.testing.assert_array_equal(labels, expected)
    assert found.objects == expected.max() > 0


@in_tiles(20)
@per_plane
def cells(nuclei: Pixels, cytoplasm: Pixels, *, level: float = 120.0) -> Pixels:
    """Label what is bright in both channels."""
    return bright_of(np.minimum(nuclei, cytoplasm), level)


@in_tiles(20)
@per_stack
def cells_of_stacks(nuclei: da.Array, cytoplasm: da.Array, *, level: float = 120.0) -> da.Array:
    both = da.minimum(nuclei, cytoplasm)
    labels: da.Array = both.map_blocks(lambda planes: np.stack([bright_of(it, level) for it in planes]), dtype=np.int32)
    return labels


def load(scale: float = 1.0) -> float:
    return scale


@in_tiles(20)
@per_batch(model=load)
def cells_of_batches(nuclei: Pixels, cytoplasm: Pixels, *, model: float, level: float = 120.0) -> Pixels:
    """Label what is bright in both channels, in units of a model."""
    return np.stack([bright_of(it, level * model) for it in np.minimum(nuclei, cytoplasm)])


@pytest.mark.parametrize("function", [cells, cells_of_stacks, cells_of_batches])
@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 10**6), side=SIDES)
def test_labels_of_several_inputs_do_not_depend_on_the_tiles(
    function: Callable[..., Any],
    seed: int,
    side: tuple[int, int],
) -> None:
    pixels = np.full((1, 2, 1, 80, 90), 60, np.uint16)
    pixels[0, :, 0, SPOTS] = np.stack([draw_nuclei(seed + at, (80, 90))[SPOTS] for at in (0, 1)], axis=1)
    works = replace(works_on(function), inputs={"nuclei": 3, "cytoplasm": 1})
    plane = Plane(0, 3, 0).block
    part = Part(works, plane, works.inputs_of(plane, (1, 4, 1, 80, 90)))
    assert part.read.c == (1, 3)
    labels, found = label_array(make_form(works, {"level": 110.0}, part), pixels, side)
    np.testing.assert_array_equal(labels, bright_of(pixels[0].min(axis=0)[0], 110.0))
    assert found.objects == labels.max() > 0


def test_objects_that_two_tiles_see_differently_stay_apart() -> None:
    form = make_form(works_on(bright), {})
    one, other = np.zeros((2, 10, 20), np.int32)
    one[2:8, 2:12] = 1
    other[2:8, 2:7], other[2:8, 7:12] = 1, 2  # each half of it
    other[:, 15:] = one[:, 16:19].max() + 3
    one[:, 15:] = 4
    assert form.join(one, other).tolist() == [[4, 3]]


AT_ONCE = """
from concurrent.futures import ThreadPoolExecutor
import numpy as np
from idr_assets.imaging.segmentation.tiles.otsu import OtsuTiles
form = OtsuTiles(sigma=1.0, background_sigma=6.0, minimum_area=8, split_depth=0.5)
print(len(set(ThreadPoolExecutor(2).map(lambda mask: form.split(mask)[0].max(), [np.ones((9, 9), bool)] * 2))))
"""


def test_two_threads_may_be_the_first_to_split() -> None:
    found = subprocess.run([sys.executable, "-c", AT_ONCE], check=False, capture_output=True, text=True)  # noqa: S603
    assert (found.stdout, found.stderr) == ("1\n", "")


def test_a_function_of_volumes_is_not_cut() -> None:
    with pytest.raises(TypeError, match="works on volumes, which are never cut"):
        in_tiles(20)(otsu_watershed_3d)


def test_a_line_in_the_wrong_place_is_named() -> None:
    with pytest.raises(TypeError, match=r"@in_tiles stands directly above .*find_, .* as the first line"):

        @per_plane
        @in_tiles(20)
        def find_(plane: Pixels) -> Pixels:
            return plane


def test_a_line_through_the_corners_of_tiles_is_one_object() -> None:
    plane = np.full((48, 48), 10, np.uint16)
    np.fill_diagonal(plane, 200)
    form = OtsuTiles(sigma=0, background_sigma=6.0, minimum_area=8, split_depth=0.5)
    for turned in (plane, np.ascontiguousarray(plane[:, ::-1])):
        labels, found = label_array(form, turned, (16, 16))
        np.testing.assert_array_equal(labels, turned > 10)
        assert found.objects == 1
