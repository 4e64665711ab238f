"""The recipes of volumes that come with the project."""

import dask.array as da
import numpy as np
import numpy.typing as npt
import pytest
import scipy.ndimage

from idr_assets.imaging.segmentation import gaussian_threshold, joined_over_z, otsu_watershed_3d
from idr_assets.imaging.segmentation.joining import join_slices
from idr_assets.imaging.segmentation.recipe import Recipe

pytestmark = pytest.mark.usefixtures("synchronous")

HERE = "idr_assets.imaging.segmentation"
CENTRES = [(8, 20, 20), (8, 20, 34), (22, 44, 30)]
SLICE_STEP = 2.0


def balls(*centres: tuple[int, int, int], radius: float = 8) -> npt.NDArray[np.uint16]:
    """Draw bright balls in a volume whose slices are two pixels apart, over the noise of a camera."""
    z, y, x = np.ogrid[:30, :64, :56]
    inside = np.zeros((30, 64, 56), bool)
    for centre in centres:
        far = ((z - centre[0]) * SLICE_STEP) ** 2 + (y - centre[1]) ** 2 + (x - centre[2]) ** 2
        inside |= far <= radius**2
    rng = np.random.default_rng(3)
    light = scipy.ndimage.gaussian_filter(np.where(inside, 500.0, 40.0), (0.5, 1, 1))
    found: npt.NDArray[np.uint16] = (100 + rng.poisson(light) + rng.normal(0, 3, light.shape)).round().astype(np.uint16)
    return found


def label(volume: npt.NDArray[np.uint16], **parameters: float) -> npt.NDArray[np.int32]:
    found: npt.NDArray[np.int32] = otsu_watershed_3d(da.from_array(volume[None], chunks=-1), **parameters).compute()[0]
    return found


def test_touching_balls_are_split_and_each_is_one_object_in_all_its_slices() -> None:
    labels = label(balls(*CENTRES), slice_step=SLICE_STEP, background_sigma=16)
    assert len({labels[centre] for centre in CENTRES}) == labels.max() == 3
    volumes = np.bincount(labels.ravel())[1:]
    assert volumes == pytest.approx(4 / 3 * np.pi * 8**3 / SLICE_STEP, rel=0.15)
    for number, (z, _, _) in zip((labels[centre] for centre in CENTRES), CENTRES, strict=True):
        slices = np.flatnonzero((labels == number).any((1, 2)))
        assert (slices[0], slices[-1]) == pytest.approx((z - 4, z + 4), abs=1)


def test_small_volumes_are_dropped_and_noise_is_nothing() -> None:
    parameters = {"slice_step": SLICE_STEP, "background_sigma": 16}
    volume = balls(CENTRES[2])
    size = int(np.bincount(label(volume, **parameters).ravel())[1:].max())
    assert label(volume, **parameters, minimum_volume=size).max() == 1
    assert label(volume, **parameters, minimum_volume=size + 1).max() == 0
    assert label(balls(), **parameters).max() == 0


def test_labels_of_a_function_of_planes_are_joined_over_z() -> None:
    volume = balls(*CENTRES)
    parameters = {"threshold_fraction": 0.5}
    planes = gaussian_threshold(da.from_array(volume, chunks=(1, -1, -1)), **parameters).compute()
    stack = da.from_array(volume[None], chunks=-1)
    found = joined_over_z(stack, function=f"{HERE}.gaussian_threshold", parameters=parameters, iou=0.3).compute()
    np.testing.assert_array_equal(found[0], join_slices(planes, 0.3))
    assert found[0][CENTRES[2]] == found[0][CENTRES[2][0] + 2, 44, 30]


def test_the_function_whose_labels_are_joined_is_part_of_the_recipe(monkeypatch: pytest.MonkeyPatch) -> None:
    def version(**parameters: object) -> str:
        named = {"function": f"{HERE}.gaussian_threshold"} | parameters
        return Recipe(f"{HERE}.joined_over_z", joined_over_z, named, (0,)).version

    plain = version()
    assert version(parameters={"sigma": 1}) == version(parameters={}) == plain
    assert version(parameters={"sigma": 2}) != plain
    monkeypatch.setattr(gaussian_threshold, "version", "2")
    assert version() != plain
