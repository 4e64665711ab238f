"""The recipe gaussian_threshold against the notebook's own code."""

from functools import wraps

import dask
import dask.array as da
import dask_image.ndfilters
import dask_image.ndmeasure
import numpy as np
import pytest
import scipy.ndimage
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from idr_assets.imaging.segmentation.functions import gaussian_threshold, threshold_values
from idr_assets.imaging.segmentation.labelling import label
from idr_assets_tests.support.drawn_planes import DTYPES, TAKEN_AS_FLOAT32, Pixels, chunkings, named_planes, whole

pytestmark = pytest.mark.usefixtures("synchronous")


def notebook(plane: Pixels) -> tuple[Pixels, float]:
    """Label one plane as the notebook does, line by line."""
    smoothed_image = dask_image.ndfilters.gaussian_filter(da.from_array(plane), sigma=[1, 1])
    threshold_value = 0.33 * da.max(smoothed_image).compute()
    threshold_image = smoothed_image > threshold_value
    label_image, _ = dask_image.ndmeasure.label(threshold_image)
    return label_image.compute(), threshold_value


def planes_of(size: st.SearchStrategy[int]) -> st.SearchStrategy[Pixels]:
    """Draw stacks of any dtype: constant, sparse or random as hypothesis likes."""
    floats = st.floats(-1e6, 1e6, width=32, allow_subnormal=False)
    elements = {"<f4": floats, ">f4": floats}
    shapes = st.tuples(st.integers(1, 2), size, size)
    return st.sampled_from(DTYPES).flatmap(lambda dtype: hnp.arrays(dtype, shapes, elements=elements.get(dtype)))


@pytest.mark.parametrize("dtype", [*DTYPES, *TAKEN_AS_FLOAT32])
def test_named_planes_get_the_notebooks_labels(dtype: str) -> None:
    planes = named_planes(dtype)
    labels, thresholds = dask.compute(gaussian_threshold(whole(planes)), threshold_values(whole(planes)))
    taken = planes.astype("f4") if dtype in TAKEN_AS_FLOAT32 else planes
    expected, values = zip(*map(notebook, taken), strict=True)
    assert labels.dtype == np.int32
    np.testing.assert_array_equal(labels, expected)
    np.testing.assert_array_equal(thresholds, values)
    direct, found = label(gaussian_threshold, {}, planes[np.newaxis, np.newaxis], planes.shape[1:])
    assert direct.dtype == np.int32
    np.testing.assert_array_equal(direct[0, 0], expected)
    assert found.tolist() == [[thresholds.tolist()]]


@given(st.data())
@settings(max_examples=50)
def test_a_plane_cut_into_chunks_gives_the_labels_of_the_whole_plane(data: st.DataObject) -> None:
    planes = data.draw(planes_of(st.integers(1, 24)))
    sigma = data.draw(st.sampled_from([0, 0.6, 1, 1.1, 2.5]))
    chunks = tuple(data.draw(chunkings(size)) for size in planes.shape)
    labels = gaussian_threshold(da.from_array(planes, chunks=chunks), sigma=sigma, threshold_fraction=0.5).compute()
    parameters = {"sigma": sigma, "threshold_fraction": 0.5}
    direct, _ = label(gaussian_threshold, parameters, planes[np.newaxis, np.newaxis], planes.shape[1:])
    for plane, found, own in zip(planes, labels, direct[0, 0], strict=True):
        smoothed = scipy.ndimage.gaussian_filter(plane, sigma)
        expected = scipy.ndimage.label(smoothed > 0.5 * smoothed.max())[0]
        np.testing.assert_array_equal(found, expected)
        np.testing.assert_array_equal(own, expected)


@pytest.mark.parametrize("chunks", [(1, 64, 80), (3, 20, 80), (8, 64, 19), (8, 13, 17), (8, 3, 80)])
def test_named_planes_cut_into_chunks_give_the_notebooks_labels(chunks: tuple[int, ...]) -> None:
    planes = named_planes(">u2")
    labels = gaussian_threshold(da.from_array(planes, chunks=chunks)).compute()
    np.testing.assert_array_equal(labels, [notebook(plane)[0] for plane in planes])


def test_a_function_that_wraps_the_recipe_is_called_itself() -> None:
    @wraps(gaussian_threshold)
    def half(planes: da.Array) -> da.Array:
        return gaussian_threshold(planes, threshold_fraction=0.5)

    planes = named_planes("<u2")
    labels, _ = label(half, {}, planes[np.newaxis, np.newaxis], planes.shape[1:])
    np.testing.assert_array_equal(labels[0, 0], half(whole(planes)).compute())
    assert not np.array_equal(labels[0, 0], gaussian_threshold(whole(planes)).compute())
