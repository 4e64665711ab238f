"""What each asset's value is in Python; that of `source_image` stands in its own test."""

import dagster as dg
import numpy as np
import pytest

from idr_assets.imaging.errors import ImageError
from idr_assets.orchestration.io_manager import ImageIOManager
from idr_assets_tests.support.small_image import PIXELS, Segmented, recipe, small_image


def test_plane_labels_of_several_channels_are_a_stack(segmented: Segmented) -> None:
    labels = segmented.value("plane_labels", "2|09")
    assert labels.dtype == np.int32
    assert np.array_equal(labels, [recipe(PIXELS[2, 0, 9]), recipe(PIXELS[2, 1, 9])])


def test_plane_labels_of_one_channel_are_a_plane(one_plane: Segmented) -> None:
    labels = one_plane.value("plane_labels", "1|0")
    assert (labels.shape, labels.dtype) == ((512, 512), np.int32)


def test_montage_is_a_png_and_plane_browser_a_page(segmented: Segmented) -> None:
    folder = segmented.project.root / "data" / "image"
    montage, page = segmented.value("montage"), segmented.value("plane_browser")
    assert montage == (folder / "montage.png").read_bytes()
    assert montage.startswith(b"\x89PNG\r\n")
    assert page == (folder / "planes.html").read_text()
    assert page.startswith("<!doctype html>")


def test_a_plane_that_is_not_stored(one_plane: Segmented) -> None:
    with pytest.raises(ImageError, match=r"t 0 c 0 z 1 is not stored in .*, labels 'segmentation'\. Materialize"):
        one_plane.value("plane_labels", "0|1")


def test_labels_before_any_run(fresh: Segmented) -> None:
    with pytest.raises(ImageError, match=r"No output at .* Materialize planes first: "):
        fresh.value("plane_labels", "1|09")


def test_an_asset_of_another_name_has_no_value() -> None:
    context = dg.build_input_context(asset_key=dg.AssetKey(["image", "nonsense"]))
    with pytest.raises(dg.DagsterInvariantViolationError, match=r"nonsense.* is not an asset of image, so"):
        ImageIOManager([small_image()]).load_input(context)
