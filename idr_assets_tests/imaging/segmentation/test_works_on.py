"""What a function says that it works on: what it is given, and what that means for its recipe."""

import logging
from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
import numpy.typing as npt
import pytest
import scipy.ndimage
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from idr_assets.imaging.planes import MOST_PIXELS, Plane
from idr_assets.imaging.reading.source import Source
from idr_assets.imaging.segmentation import gaussian_threshold, per_plane, per_volume, versioned
from idr_assets.imaging.segmentation.recipe import Recipe, find_version
from idr_assets.imaging.segmentation.run import SegmentationRun
from idr_assets_tests.support.idr_stores import write_image

type Pixels = npt.NDArray[Any]


@per_volume
def all_of_it(volume: Pixels) -> Pixels:
    return np.ones(volume.shape, int)


@given(hnp.arrays(">i2", st.tuples(*[st.integers(1, 5)] * 4), elements=st.integers(0, 9)))
def test_per_volume_gives_whole_volumes_and_gapless_labels(volumes: Pixels) -> None:
    @per_volume
    def above(volume: Pixels, level: int = 4) -> Pixels:
        return np.asarray(scipy.ndimage.label(volume > level)[0] * 7)

    found = above(da.from_array(volumes, chunks=1), 4).compute(scheduler="synchronous")
    np.testing.assert_array_equal(found, [scipy.ndimage.label(volume > 4)[0] for volume in volumes])


def test_a_function_that_comes_to_work_on_volumes_is_another_recipe() -> None:
    def mine(pixels: Pixels) -> Pixels:
        return pixels

    plane, volume = versioned("1")(per_plane(mine)), versioned("1")(per_volume(mine))
    assert find_version(plane) == find_version(volume)
    assert Recipe("mine", plane, {}, (0,)).version != Recipe("mine", volume, {}, (0,)).version


def test_a_second_declaration_is_refused() -> None:
    with pytest.raises(TypeError, match="gaussian_threshold has two decorators that say what it works on"):
        per_plane(gaussian_threshold)  # type: ignore[arg-type]


def test_of_volumes_that_are_larger_than_a_block_may_be_the_memory_is_told(tmp_path: Path) -> None:
    side = 4096
    flat = np.broadcast_to(np.zeros((1, 1, 1, 1, 1), "u2"), (1, 1, MOST_PIXELS // side**2 + 1, side, side))
    write_image(tmp_path / "image.zarr", flat, version="0.5", chunks=(1, 1, 1, side, side))
    source, window = Source(str(tmp_path / "image.zarr"), "0"), Plane(0, 0, 0).block
    recipes = [Recipe("mine", function, {}, (0,)) for function in (all_of_it, gaussian_threshold)]
    remarked, plain = (
        SegmentationRun.prepare(source, recipe, window, str(tmp_path / "output")).remarks for recipe in recipes
    )
    (remark,) = remarked
    assert remark.level == logging.WARNING
    assert "has 2 slices, 34 megapixels, and is segmented whole: each thread of dask takes 0.4 GB" in remark.text
    assert plain == ()
