"""Tests of the segmentation functions against the notebook's own code, and of what makes a function of one's own."""

import importlib.util
import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cloudpickle  # type: ignore[import-untyped]
import dask
import dask.array as da
import dask_image.ndfilters
import dask_image.ndmeasure
import numpy as np
import numpy.typing as npt
import pytest
import scipy.ndimage
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from idr_assets.imaging.segmentation.decorators import find_thresholds
from idr_assets.imaging.segmentation.functions import (
    gaussian_threshold,
    otsu_watershed,
    per_plane,
    threshold_values,
    versioned,
)
from idr_assets.imaging.segmentation.recipe import Recipe, find_version

if TYPE_CHECKING:
    from idr_assets.imaging.segmentation.lifting import SegmentationFunction

# scikit-image 0.26 warns so on NumPy 2.5, 0.27 does not
pytestmark = pytest.mark.filterwarnings("ignore:Setting the shape on a NumPy array:DeprecationWarning:skimage")

type Pixels = npt.NDArray[Any]

DTYPES = ["u1", "<u2", ">u2", "<i2", ">i2", "<f4", ">f4"]
SHAPE = (64, 80)
ROWS, COLUMNS = np.indices(SHAPE)


@pytest.fixture(autouse=True, scope="module")
def _synchronous() -> Iterator[None]:
    with dask.config.set(scheduler="synchronous"):
        yield


def notebook(plane: Pixels) -> tuple[Pixels, float]:
    """Label one plane as the notebook does, line by line."""
    smoothed_image = dask_image.ndfilters.gaussian_filter(da.from_array(plane), sigma=[1, 1])
    threshold_value = 0.33 * da.max(smoothed_image).compute()
    threshold_image = smoothed_image > threshold_value
    label_image, _ = dask_image.ndmeasure.label(threshold_image)
    return label_image.compute(), threshold_value


def whole(planes: Pixels) -> da.Array:
    """Make a stack of one chunk."""
    stack: da.Array = da.from_array(planes, chunks=planes.shape)
    return stack


def disc(y: float, x: float, radius: float) -> Pixels:
    """Draw a disc with a soft rim, 1 inside."""
    return np.asarray(np.clip(radius + 0.5 - np.hypot(ROWS - y, COLUMNS - x), 0, 1))


def discs(radius: float, *centres: tuple[float, float]) -> Pixels:
    """Draw discs of one radius, joined where they touch."""
    return np.max([disc(y, x, radius) for y, x in centres], axis=0)


def camera(light: Pixels) -> Pixels:
    """Count photons and read them out with noise."""
    rng = np.random.default_rng(7)
    return (100 + rng.poisson(light) + rng.normal(0, 3, light.shape)).round().astype(">u2")


def objects_at(labels: Pixels, *points: tuple[int, int]) -> set[int]:
    """Collect the labels at points, without background."""
    return {int(labels[point]) for point in points} - {0}


BLOBS = discs(4, (0, 0), (12, 70), (20, 30), (31, 79), (40, 10), (50, 50), (63, 30))
NAMED_PLANES = {
    "constant": np.full(SHAPE, 77),
    "empty": np.zeros(SHAPE),
    "saturated": np.full(SHAPE, 127),
    "one pixel": np.where((ROWS == 20) & (COLUMNS == 30), 100, 0),
    "objects at the border": np.where((ROWS % 63 < 3) | (COLUMNS == 0), 90, 4) * (COLUMNS % 11 > 2),
    "blobs": 10 + 110 * BLOBS,
    "comb, joined in its last row": np.where((ROWS == 63) | (COLUMNS % 12 < 6), 100, 0),
    "pixels that touch at corners": np.where(np.random.default_rng(0).random(SHAPE) > 0.9, 100, 0),
    "noise": np.random.default_rng(0).integers(0, 128, SHAPE),
}


def planes_of(size: st.SearchStrategy[int]) -> st.SearchStrategy[Pixels]:
    """Draw stacks of any dtype: constant, sparse or random as hypothesis likes."""
    floats = st.floats(-1e6, 1e6, width=32, allow_subnormal=False)
    elements = {"<f4": floats, ">f4": floats}
    shapes = st.tuples(st.integers(1, 2), size, size)
    return st.sampled_from(DTYPES).flatmap(lambda dtype: hnp.arrays(dtype, shapes, elements=elements.get(dtype)))


@st.composite
def chunkings(draw: st.DrawFn, size: int) -> tuple[int, ...]:
    """Cut an axis anywhere, down to chunks of one pixel."""
    cuts = sorted(draw(st.sets(st.integers(1, size - 1)))) if size > 1 else []
    return tuple(np.diff([0, *cuts, size]).tolist())


@pytest.mark.parametrize("dtype", DTYPES)
def test_gaussian_threshold_gives_the_notebooks_labels_of_named_planes(dtype: str) -> None:
    planes = np.array([plane.astype(dtype) for plane in NAMED_PLANES.values()])
    labels, thresholds = dask.compute(gaussian_threshold(whole(planes)), threshold_values(whole(planes)))
    expected, values = zip(*(notebook(plane) for plane in planes), strict=True)
    assert labels.dtype == np.int32
    np.testing.assert_array_equal(labels, expected)
    np.testing.assert_array_equal(thresholds, values)


@pytest.mark.parametrize("dtype", ["<f2", ">f2"])
def test_gaussian_threshold_takes_float16_as_float32(dtype: str) -> None:
    planes = np.array([plane.astype(dtype) for plane in NAMED_PLANES.values()])
    labels, thresholds = dask.compute(gaussian_threshold(whole(planes)), threshold_values(whole(planes)))
    expected, values = zip(*(notebook(plane.astype("f4")) for plane in planes), strict=True)
    np.testing.assert_array_equal(labels, expected)
    np.testing.assert_array_equal(thresholds, values)


def test_a_mask_is_taken_as_float32() -> None:
    planes = np.array([plane > 50 for plane in NAMED_PLANES.values()])
    labels, thresholds = dask.compute(gaussian_threshold(whole(planes)), threshold_values(whole(planes)))
    expected, values = zip(*(notebook(plane.astype("f4")) for plane in planes), strict=True)
    np.testing.assert_array_equal(labels, expected)
    np.testing.assert_array_equal(thresholds, values)
    own = otsu_watershed(whole(planes)).compute(), otsu_watershed(whole(planes.astype("f4"))).compute()
    np.testing.assert_array_equal(*own)


@given(planes_of(st.integers(4, 12)))
@settings(max_examples=25)
def test_gaussian_threshold_gives_the_notebooks_labels_of_any_plane(planes: Pixels) -> None:
    labels = gaussian_threshold(whole(planes)).compute()
    np.testing.assert_array_equal(labels, [notebook(plane)[0] for plane in planes])


@given(st.data())
@settings(max_examples=50)
def test_a_plane_cut_into_chunks_gives_the_labels_of_the_whole_plane(data: st.DataObject) -> None:
    planes = data.draw(planes_of(st.integers(1, 24)))
    sigma = data.draw(st.sampled_from([0, 0.6, 1, 1.1, 2.5]))
    chunks = tuple(data.draw(chunkings(size)) for size in planes.shape)
    labels = gaussian_threshold(da.from_array(planes, chunks=chunks), sigma=sigma, threshold_fraction=0.5).compute()
    for plane, found in zip(planes, labels, strict=True):
        smoothed = scipy.ndimage.gaussian_filter(plane, sigma)
        np.testing.assert_array_equal(found, scipy.ndimage.label(smoothed > 0.5 * smoothed.max())[0])


@pytest.mark.parametrize("chunks", [(1, 64, 80), (3, 20, 80), (8, 64, 19), (8, 13, 17), (8, 3, 80)])
def test_named_planes_cut_into_chunks_give_the_notebooks_labels(chunks: tuple[int, ...]) -> None:
    planes = np.array(list(NAMED_PLANES.values())).astype(">u2")
    labels = gaussian_threshold(da.from_array(planes, chunks=chunks)).compute()
    np.testing.assert_array_equal(labels, [notebook(plane)[0] for plane in planes])


def test_labels_are_numbered_in_raster_order_in_each_plane() -> None:
    labels = gaussian_threshold(whole(np.stack([BLOBS, BLOBS[::-1]]))).compute()
    for plane in labels:
        numbers, first = np.unique(plane[plane > 0], return_index=True)
        assert numbers.tolist() == list(range(1, 8))
        assert first.tolist() == sorted(first)


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (3, 2)])
@pytest.mark.parametrize("function", [gaussian_threshold, otsu_watershed])
def test_planes_smaller_than_the_filters_reach_are_labelled(
    function: Callable[..., da.Array], shape: tuple[int, int]
) -> None:
    labels = function(whole(np.ones((2, *shape), "u2"))).compute()
    assert labels.shape == (2, *shape)
    assert set(labels.ravel()) <= {0, 1}


class CountedReads:
    """An array that counts how often it is read."""

    def __init__(self, planes: Pixels) -> None:
        """Take the pixels."""
        self.planes, self.shape, self.dtype, self.ndim, self.reads = planes, planes.shape, planes.dtype, 3, 0

    def __getitem__(self, index: tuple[slice, ...]) -> Pixels:
        """Read and count."""
        self.reads += 1
        return np.asarray(self.planes[index])


@pytest.mark.parametrize("function", [gaussian_threshold, otsu_watershed])
def test_a_function_computes_nothing_and_reads_each_pixel_once(function: Callable[..., da.Array]) -> None:
    source = CountedReads(np.zeros((3, *SHAPE), "u2"))
    planes = da.from_array(source, chunks=(1, *SHAPE), meta=np.empty((0, 0, 0), "u2"))
    lazy = function(planes), find_thresholds(function, planes, {})
    assert source.reads == 0
    dask.compute(*lazy)
    assert source.reads == 3


def test_find_thresholds_passes_the_parameters_on_and_is_none_where_there_is_no_single_threshold() -> None:
    planes = whole(np.full((2, *SHAPE), 100, "u2"))
    thresholds = find_thresholds(gaussian_threshold, planes, {"threshold_fraction": 0.5})
    assert thresholds is not None
    assert thresholds.compute().tolist() == [50, 50]
    assert find_thresholds(otsu_watershed, planes, {}) is None
    assert find_thresholds(lambda planes: planes, planes, {}) is None


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
    labels = otsu_watershed(whole(np.array([plane.astype(dtype) for plane in NAMED_PLANES.values()]))).compute()
    counts = dict(zip(NAMED_PLANES, labels.max(axis=(1, 2)), strict=True))
    assert labels.dtype == np.int32
    assert [counts[name] for name in ("constant", "empty", "saturated", "one pixel")] == [0, 0, 0, 0]
    assert list(counts.values()) == [len(np.unique(plane)) - 1 for plane in labels]


def test_otsu_watershed_finds_nothing_in_noise_alone() -> None:
    assert otsu_watershed(whole(camera(np.full((4, *SHAPE), 200.0)))).compute().max() == 0


@per_plane
def above(plane: Pixels, level: int = 3, *, steps: int = 1) -> Pixels:
    """Label what is above a level, in steps, changing the plane on the way."""
    assert plane.dtype.isnative
    plane -= level
    return np.asarray(scipy.ndimage.label(plane > 0)[0] * steps, "u1")


def test_per_plane_shows_the_functions_own_signature() -> None:
    signature = inspect.signature(above)
    assert list(signature.parameters) == ["planes", "level", "steps"]
    assert signature.parameters["level"].default == 3
    assert signature.bind(None, steps=2).arguments["steps"] == 2
    assert signature.parameters["planes"].annotation == "da.Array"
    assert signature.return_annotation == "da.Array"
    assert list(inspect.signature(otsu_watershed).parameters)[0] == "planes"  # noqa: RUF015
    assert above.__doc__
    assert above.__doc__.startswith("Label what is above a level")


def test_per_plane_refuses_unknown_parameters_before_anything_is_computed() -> None:
    with pytest.raises(TypeError, match="'sigma'"):
        above(whole(np.zeros((1, 4, 4))), sigma=1)  # type: ignore[call-arg]


@given(st.data())
@settings(max_examples=20)
def test_per_plane_gives_whole_planes_and_gapless_labels(data: st.DataObject) -> None:
    planes = data.draw(hnp.arrays(">i2", st.tuples(*[st.integers(1, 6)] * 3), elements=st.integers(0, 9)))
    chunks = tuple(data.draw(chunkings(size)) for size in planes.shape)
    before = planes.copy()
    labels = above(da.from_array(planes, chunks=chunks), 4, steps=7).compute()
    assert labels.dtype == np.int32
    np.testing.assert_array_equal(labels, [scipy.ndimage.label(plane > 4)[0] for plane in before])
    np.testing.assert_array_equal(planes, before)


@pytest.mark.parametrize(
    ("returned", "error", "found"),
    [
        (lambda plane: plane > 0, TypeError, r"bool of shape \(4, 5\)"),
        (lambda plane: plane.astype(float), TypeError, r"float64 of shape \(4, 5\)"),
        (lambda plane: plane[1:], TypeError, r"int16 of shape \(3, 5\)"),
        (scipy.ndimage.label, TypeError, "tuple"),
        (lambda plane: plane - 2, ValueError, "values from -1 to -1"),
        (lambda plane: plane * np.int64(2**31), ValueError, "values from 2147483648 to 2147483648"),
    ],
)
def test_per_plane_names_what_was_returned_and_what_is_expected(
    returned: Callable[[Pixels], Any], error: type[Exception], found: str
) -> None:
    @per_plane
    def mine(plane: Pixels) -> Pixels:
        return returned(plane)  # type: ignore[no-any-return]

    expected = r"mine must return integer labels of shape \(4, 5\), .*; it returned " + found
    with pytest.raises(error, match=expected):
        mine(whole(np.ones((2, 4, 5), "i2"))).compute()


def test_the_lazy_labels_can_be_sent_to_another_process() -> None:
    planes = whole(np.stack([BLOBS, BLOBS]) * 100)
    for function in (gaussian_threshold, otsu_watershed, above):
        lazy = function(planes)
        np.testing.assert_array_equal(cloudpickle.loads(cloudpickle.dumps(lazy)).compute(), lazy.compute())


def test_a_marked_function_has_its_version_in_either_order_of_the_decorators() -> None:
    def mine(plane: Pixels) -> Pixels:
        return plane

    assert find_version(gaussian_threshold) == find_version(otsu_watershed) == "1"
    assert find_version(versioned("2")(per_plane(mine))) == "2"
    assert find_version(per_plane(versioned("3")(mine))) == "3"


def test_recipes_are_those_of_earlier_outputs() -> None:
    @per_plane
    def mine(plane: Pixels, *, size: int = 21) -> Pixels:
        return plane * size

    recipes: dict[str, SegmentationFunction] = {
        "gaussian_threshold": gaussian_threshold,
        "otsu_watershed": otsu_watershed,
        "mine": mine,
    }
    module = "idr_assets.imaging.segmentation"
    found = {name: Recipe(f"{module}.{name}", recipe, {}, (0, 1)).version for name, recipe in recipes.items()}
    assert found == {
        "gaussian_threshold": "0cc8cd63a42d1181",
        "otsu_watershed": "bcfdb3104c34666c",
        "mine": "92460bf1cf1c29cc",
    }


def own_function(path: Path, body: str) -> Callable[..., da.Array]:
    """Import a user's module that holds one function, `mine`."""
    path.write_text(
        f"from idr_assets.imaging.segmentation.functions import per_plane\n\n@per_plane\ndef mine(plane):\n    {body}\n"
    )
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.mine  # type: ignore[no-any-return]


def test_an_unmarked_function_has_a_version_that_follows_its_source(tmp_path: Path) -> None:
    bodies = {
        "first": "return plane",
        "laid_out": '"""Give the plane back."""\n    # as it is\n    return (\n        plane\n    )',
        "edited": "return plane + 1",
    }
    versions = {name: find_version(own_function(tmp_path / f"{name}.py", body)) for name, body in bodies.items()}
    assert versions["first"] == versions["laid_out"] != versions["edited"]


def test_a_function_without_mark_or_source_has_no_version() -> None:
    assert find_version(len) == "unversioned"  # type: ignore[arg-type]
