"""Objects in the files of other tools, read back by the libraries of those tools, and compared pixel by pixel."""

import json
from base64 import b64decode
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import shapely
import skimage.draw
from shapely.geometry import shape

from idr_assets.imaging.exports.masks import write_omero_masks
from idr_assets.imaging.exports.outlines import write_geojson, write_imagej_rois
from idr_assets.imaging.objects.measurements import measure
from idr_assets.imaging.planes import LabelledPlane

RING, CORNERS, NOISE = 2, 5, 9
"""Labels of an object with a hole, of one of two pixels that touch at a corner, and the first of random pixels."""


@pytest.fixture(scope="module")
def plane() -> LabelledPlane:
    """Give a plane with objects that touch each other, its borders, and themselves; some numbers are left out."""
    random = np.random.default_rng(0)
    labels = np.zeros((40, 30), np.int32)
    labels[3:9, 3:9], labels[5:7, 5:7], labels[6, 6] = RING, 0, RING
    labels[0, 0] = labels[1, 1] = CORNERS
    labels[20:, :] = random.integers(0, 4, (20, 30)) * NOISE
    return LabelledPlane(4, 1, 7, random.integers(0, 99, labels.shape, np.uint16), labels)


def fill(rings: list[npt.NDArray[Any]], size: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """Fill rings (x, y) as ImageJ does: pixels whose centre is inside of an odd number of them."""
    inside = np.zeros(size, bool)
    for ring in rings:
        inside ^= skimage.draw.polygon2mask(size, ring[:, ::-1] - 0.5)
    return inside


def test_imagej_finds_the_pixels_of_each_object(plane: LabelledPlane, tmp_path: Path) -> None:
    import roifile  # noqa: PLC0415  as the tool would

    assert write_imagej_rois(tmp_path / "rois.zip", [plane]) == 5
    found = np.zeros_like(plane.labels)
    rois = roifile.roiread(tmp_path / "rois.zip")
    for roi in rois if isinstance(rois, list) else []:
        assert (roi.t_position, roi.c_position, roi.z_position) == (5, 2, 8)
        label = int(roi.name.rpartition("-")[2])
        inside = fill(list(roi.coordinates(multi=True)), plane.labels.shape)
        y, x = np.nonzero(inside)
        assert [roi.top, roi.left, roi.bottom, roi.right] == [y.min(), x.min(), y.max() + 1, x.max() + 1]
        assert roi.composite or label not in {RING, CORNERS}
        found[inside] = label
    np.testing.assert_array_equal(found, plane.labels)


def test_geojson_has_valid_outlines_at_their_planes(plane: LabelledPlane, tmp_path: Path) -> None:
    import geojson  # noqa: PLC0415  as above

    own = {"roundness": np.array([1.0, 2, np.nan, 4, 5]), "intensity_mean_DNA": np.arange(5) / 2}
    rows = measure("embryo", plane, 0.25, "cells") | own
    assert write_geojson(tmp_path / "objects.geojson", [plane], lambda _: rows) == 5
    collection = geojson.loads((tmp_path / "objects.geojson").read_text())
    assert collection.is_valid
    found = [feature.properties["measurements"] for feature in collection.features]
    assert [each.get("roundness") for each in found] == [1, 2, None, 4, 5]
    for at, feature in enumerate(collection.features):
        label, outline = feature.properties["label"], shape(feature.geometry)
        inside = plane.labels == label
        y, x = np.nonzero(inside)
        assert outline.is_valid
        assert outline.area == inside.sum()
        assert shapely.contains_xy(outline, x + 0.5, y + 0.5).all()
        assert feature.geometry["plane"] == {"t": 4, "c": 1, "z": 7}
        assert {name: feature.properties[name] for name in ("image", "channel", "t")} == {
            "image": "embryo", "channel": "cells", "t": 4
        }  # fmt: skip
        measured = feature.properties["measurements"]
        assert {name: measured[name] for name in ("intensity_mean_DNA", "eccentricity")} == {
            "intensity_mean_DNA": at / 2, "eccentricity": pytest.approx(rows["eccentricity"][at])
        }  # fmt: skip
        assert measured["area_um2"] == inside.sum() / 4
        assert measured["intensity_mean"] == pytest.approx(plane.pixels[inside].mean())


def test_omero_masks_have_the_bits_of_each_object(plane: LabelledPlane, tmp_path: Path) -> None:
    assert write_omero_masks(tmp_path / "masks.json", [plane]) == 5
    found = np.zeros_like(plane.labels)
    for roi in json.loads((tmp_path / "masks.json").read_text()):
        (mask,) = roi["shapes"]
        assert (mask["TheT"], mask["TheC"], mask["TheZ"]) == (4, 1, 7)
        width, height = mask["Width"], mask["Height"]
        bits = np.unpackbits(np.frombuffer(b64decode(mask["Bytes"]), np.uint8), count=width * height)
        box = found[mask["Y"] : mask["Y"] + height, mask["X"] : mask["X"] + width]
        box[bits.reshape(height, width).astype(bool)] = int(mask["Text"])
    np.testing.assert_array_equal(found, plane.labels)
