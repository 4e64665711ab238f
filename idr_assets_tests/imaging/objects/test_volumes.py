"""The table of objects in space is what scikit-image measures of the whole volume."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import scipy.ndimage
import skimage

from idr_assets.imaging.objects.more_measurements import Measured
from idr_assets.imaging.objects.tables import write_objects
from idr_assets.imaging.objects.volumes import COLUMNS, write_volumes
from idr_assets.imaging.output.creation import create_output
from idr_assets.imaging.output.writing import store_planes
from idr_assets.imaging.planes import Block
from idr_assets.imaging.reading.level import open_level
from idr_assets_tests.support.idr_stores import write_image

NOISE = np.random.default_rng(5).normal(size=(2, 7, 30, 32))
LABELS = np.array([scipy.ndimage.label(scipy.ndimage.gaussian_filter(it, 1.5) > 0.08)[0] for it in NOISE], np.int32)
PIXELS = (1000 + 100 * NOISE).astype(">u2")


def test_objects_in_space_are_those_of_the_whole_volume(tmp_path: Path) -> None:
    write_image(tmp_path / "image", PIXELS[np.newaxis], version="0.4")
    output = create_output(str(tmp_path / "output"), open_level(str(tmp_path / "image"), "0"))
    whole = Block(range(1), (0, 1), range(7))
    store_planes(output, whole, PIXELS[np.newaxis], LABELS[np.newaxis])
    urls = [str(tmp_path / name) for name in ("planes", "volumes")]
    write_objects(urls[0], output, whole, "image", None)
    number = write_volumes(urls[1], urls[0], whole, 7, 0.25)
    rows = pq.read_table(urls[1]).to_pylist()
    assert [*rows[0]] == [column.name for column in COLUMNS]
    expected = [(c, it) for c in (0, 1) for it in skimage.measure.regionprops(LABELS[c], PIXELS[c].astype(float))]
    assert number == len(rows) == len(expected) > 5
    for row, (c, it) in zip(sorted(rows, key=lambda row: (row["c"], row["label"])), expected, strict=True):
        assert (row["c"], row["label"], row["voxels"], row["whole"]) == (c, it.label, it.area, True)
        assert row["volume_um3"] == pytest.approx(it.area / 4)
        assert (row["z0"], row["bbox_y0"], row["bbox_x0"], row["z1"], row["bbox_y1"], row["bbox_x1"]) == it.bbox
        assert [row[f"centroid_{axis}"] for axis in "zyx"] == pytest.approx(it.centroid)
        assert row["intensity_mean"] == pytest.approx(it.intensity_mean)
        assert row["slices"] == len(np.unique(it.coords[:, 0]))
        ends = zip(it.bbox[:3], it.bbox[3:], LABELS[c].shape, strict=True)
        assert row["touches_border"] == any(low == 0 or high == length for low, high, length in ends)
    write_objects(urls[0], output, few := Block(range(1), (0,), range(2, 5)), "image", None)
    write_volumes(urls[1], urls[0], few, 7, None)
    cut = pq.read_table(urls[1]).to_pylist()
    assert [row["whole"] for row in cut] == [row["z0"] > 2 and row["z1"] < 5 for row in cut]
    assert {row["volume_um3"] for row in cut} == {None}


def test_intensities_of_other_channels_are_means_of_all_voxels(tmp_path: Path) -> None:
    write_image(tmp_path / "image", PIXELS[np.newaxis], version="0.4")
    output = create_output(str(tmp_path / "output"), open_level(str(tmp_path / "image"), "0"))
    both, one = Block(range(1), (0, 1), range(7)), Block(range(1), (0,), range(7))
    store_planes(output, both, PIXELS[np.newaxis], LABELS[np.newaxis])
    urls = [str(tmp_path / name) for name in ("planes", "volumes")]
    write_objects(urls[0], replace(output, together={output.name: (0, 1)}), one, "image", None, more=Measured((1,)))
    write_volumes(urls[1], urls[0], one, 7, None)
    rows = {row["label"]: row for row in pq.read_table(urls[1]).to_pylist()}
    labels = [*rows]
    expected = scipy.ndimage.mean(PIXELS[1].astype(float), LABELS[0], labels)
    assert [rows[label]["intensity_mean_c1"] for label in labels] == pytest.approx(list(expected))
    assert len(labels) > 3


def test_without_objects_the_table_is_empty(tmp_path: Path) -> None:
    write_image(tmp_path / "image", PIXELS[np.newaxis], version="0.4")
    output = create_output(str(tmp_path / "output"), open_level(str(tmp_path / "image"), "0"))
    whole = Block(range(1), (0, 1), range(7))
    store_planes(output, whole, PIXELS[np.newaxis], np.zeros((1, *PIXELS.shape), np.int32))
    write_objects(str(tmp_path / "planes"), output, whole, "image", None)
    assert write_volumes(str(tmp_path / "volumes"), str(tmp_path / "planes"), whole, 7, 1.0) == 0
