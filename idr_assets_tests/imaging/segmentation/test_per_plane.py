"""What makes a function of one plane one of a lazy stack: its signature, its laziness, and checks of its labels."""

import inspect
from collections.abc import Callable
from typing import Any

import cloudpickle  # type: ignore[import-untyped]
import dask
import dask.array as da
import numpy as np
import pytest
import scipy.ndimage
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from idr_assets.imaging.segmentation.decorators import find_thresholds
from idr_assets.imaging.segmentation.functions import gaussian_threshold, otsu_watershed, per_plane, threshold_values
from idr_assets_tests.support.drawn_planes import BLOBS, SHAPE, Pixels, chunkings, whole

pytestmark = pytest.mark.usefixtures("synchronous")


@per_plane
def above(plane: Pixels, level: int = 3, *, steps: int = 1) -> Pixels:
    """Label what is above a level, in steps, changing the plane on the way."""
    assert plane.dtype.isnative
    plane -= level
    return np.asarray(scipy.ndimage.label(plane > 0)[0] * steps, "u1")


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
    found = find_thresholds(function)
    lazy = function(planes), found and found(planes)
    assert source.reads == 0
    dask.compute(*lazy)
    assert source.reads == 3


def test_a_function_without_one_threshold_a_plane_has_none() -> None:
    assert find_thresholds(gaussian_threshold) is threshold_values
    assert find_thresholds(otsu_watershed) is None
    assert find_thresholds(lambda planes: planes) is None


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
