"""An image of dtype bool: stored as it is, segmented and measured as numbers 0.0 and 1.0."""

import shutil
from typing import Any

import numpy as np
import pytest
import zarr

from idr_assets_tests.support.idr_stores import write_image
from idr_assets_tests.support.small_image import FIELDS, PARTITIONS, PIXELS, PLANES, Segmented, recipe

MASK = PIXELS > 600
OWN_FUNCTIONS = """
import numpy as np
import scipy.ndimage
from idr_assets.imaging.segmentation import per_plane, per_stack, per_volume

@per_plane
def plane(pixels):
    assert pixels.dtype == np.float32
    return scipy.ndimage.label(pixels > 0.5)[0]

@per_volume
def volume(pixels):
    assert pixels.dtype == np.float32
    return scipy.ndimage.label(pixels > 0.5)[0]

@per_stack
def stack(pixels):
    assert pixels.dtype == np.float32
    return (pixels > 0.5).astype(np.int32)
"""


def use(project: Segmented, **fields: str) -> None:
    """Put the mask in place of the image."""
    shutil.rmtree(project.project.root / "data/source.zarr")
    version: Any = fields.pop("version", "0.4")
    write_image(project.project.root / "data/source.zarr", MASK, version=version)
    project.project.write(**FIELDS | {"dtype": "bool"} | fields)


def stored(project: Segmented, path: str) -> zarr.Array[Any]:
    return zarr.open_array(project.project.root / "data/image.ome.zarr" / path, mode="r")


@pytest.mark.parametrize(("version", "written"), [("0.4", "0.5"), ("0.5", "0.4")])
def test_a_mask_is_segmented_as_float32_and_stored_as_bool(fresh: Segmented, version: str, written: str) -> None:
    use(fresh, version=version, format=f'"{written}"')
    assert fresh.run_jobs()
    pixels, labels = stored(fresh, "0"), stored(fresh, "labels/segmentation/0")
    assert pixels.dtype == np.bool_
    for plane in PLANES:
        np.testing.assert_array_equal(pixels[plane], MASK[plane])
        np.testing.assert_array_equal(labels[plane], recipe(MASK[plane].astype(np.float32)))
    found = fresh.metadata("plane_labels", PARTITIONS[0])
    assert (found["minimum (c 0)"], found["maximum (c 0)"], "saturated (c 0)" in found) == (0, 1, False)
    assert found["threshold (c 0)"] == pytest.approx(0.33, rel=0.01)
    assert fresh.numbers("plane_labels", "source_planes_usable")["passed"]
    for row in fresh.value("objects").to_dict("records"):
        where = row["t"], row["c"], row["z"]
        own = MASK[where][np.asarray(labels[where]) == row["label"]]
        assert (row["intensity_sum"], row["intensity_mean"]) == (own.sum(), pytest.approx(own.mean()))
    assert "t 1 c 0 z 9" in fresh.value("plane_browser")
    assert fresh.value("source_image")[1, 0, 9].compute().dtype == np.bool_


@pytest.mark.parametrize("function", ["plane", "volume", "stack"])
def test_every_function_gets_a_mask_as_numbers(fresh: Segmented, function: str) -> None:
    use(fresh, segmentation=f"{{function: {fresh.project.package.name}.own.{function}}}")
    (fresh.project.package / "own.py").write_text(OWN_FUNCTIONS)
    assert fresh.run("plane_labels", PARTITIONS[0], PARTITIONS[-1]) == ""
    for plane in PLANES:
        np.testing.assert_array_equal(stored(fresh, "labels/segmentation/0")[plane] != 0, MASK[plane])
