"""Networks in ONNX form: what goes in and comes out, and labels as by StarDist's and Cellpose's own code."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
import pytest
import scipy.ndimage
from hypothesis import given, settings
from hypothesis import strategies as st

from idr_assets.imaging.planes import Block, Plane
from idr_assets.imaging.segmentation import onnx_model
from idr_assets.imaging.segmentation.cutting import make_form
from idr_assets.imaging.segmentation.label_numbers import Labels, number
from idr_assets.imaging.segmentation.labelling import Part
from idr_assets.imaging.segmentation.models.batches import label_stack
from idr_assets.imaging.segmentation.models.extras import MissingExtraError
from idr_assets.imaging.segmentation.models.flows import label_flows
from idr_assets.imaging.segmentation.models.loading import ModelError
from idr_assets.imaging.segmentation.models.networks import Normalisation, normalise
from idr_assets.imaging.segmentation.models.stars import label_stars
from idr_assets.imaging.segmentation.recipe import fill_in
from idr_assets.imaging.segmentation.tiles.arrays import label_array
from idr_assets.imaging.segmentation.works_on import works_on
from idr_assets.imaging.synthetic_embryo import embryo_volume
from idr_assets_tests.support.dagster_home import ROOT
from idr_assets_tests.support.idr_stores import nuclei_plane
from idr_assets_tests.support.networks import write_network
from idr_assets_tests.support.tiled_arrays import draw_nuclei

PLANES = np.stack([nuclei_plane(t, 0, 3, (60, 70)) for t in range(5)]).astype(">u2")
MEAN = np.full((1, 1, 3, 3), 1 / 9)
DERIVATIVE = np.zeros((3, 1, 3, 3))
DERIVATIVE[0, 0, [0, 2], 1] = DERIVATIVE[1, 0, 1, [0, 2]] = -9, 9
DERIVATIVE[2, 0] = 1 / 9


TYPES = ["f4", "i2", ">f8"]


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a network that takes the mean of both channels around each pixel."""
    return Path(write_network(tmp_path_factory.mktemp("networks") / "both.onnx", np.full((1, 2, 3, 3), 1 / 18)))


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def segment(network: Path, planes: Any = PLANES, **parameters: Any) -> Labels:  # noqa: ANN401
    return label_stack(onnx_model, planes, weights=str(network), **parameters)


def filtered(kernel: Any, plane: Any) -> Any:  # noqa: ANN401
    """Compute by scipy what a network of one convolution makes of a normalised plane."""
    values = normalise(plane, "percentiles", (1, 99.8))
    return np.stack([scipy.ndimage.correlate(values, one[0], mode="constant", output="f4") for one in kernel])


@pytest.mark.parametrize("threshold", [0.4, 0.0])
def test_flows_become_the_labels_of_cellpose(threshold: float) -> None:
    known = np.load(ROOT / "idr_assets_tests/data/models/cellpose.npz")
    flows, probability = known["flows"].astype("f4"), known["cellprob"].astype("f4")
    found = label_flows(flows, probability, threshold=0, error=threshold, iterations=200, minimum_area=15)
    np.testing.assert_array_equal(found, known[f"labels_{threshold}"])


@pytest.mark.parametrize("overlap", [0.4, 0.8])
def test_distances_become_the_labels_of_stardist(overlap: float) -> None:
    known = np.load(ROOT / "idr_assets_tests/data/models/stardist.npz")
    probability, distances = known["prob"].astype("f4"), known["dist"].astype("f4")
    found = label_stars(probability, distances, (60, 70), threshold=0.3, overlap=overlap)
    np.testing.assert_array_equal(found, known[f"labels_{overlap}"])


def test_foreground_becomes_connected_objects(tmp_path: Path) -> None:
    found = segment(write_network(tmp_path / "mean.onnx", MEAN), batch=2, multiple=2, minimum_area=4)
    for labels, plane in zip(found, PLANES, strict=True):
        expected = scipy.ndimage.label(filtered(MEAN, plane)[0] > 0.5)[0]
        small = np.bincount(expected.ravel()) < 4
        np.testing.assert_array_equal(labels, np.where(small[expected], 0, expected))
    logits = write_network(tmp_path / "logits.onnx", np.concatenate([-MEAN, MEAN]), (0.5, -0.5))
    for activation, threshold in (("softmax", 0.5), ("sigmoid", 0.5), ("none", 0)):
        other = segment(logits, activation=activation, threshold=threshold, multiple=2, minimum_area=4)
        assert np.mean((other > 0) != (found > 0)) < 0.001


@pytest.mark.parametrize("how", ["percentiles", "range", "standard", "none"])
@settings(max_examples=3, deadline=None)
@given(
    seed=st.integers(0, 10**6), side=st.tuples(st.integers(20, 90), st.integers(20, 90)), dtype=st.sampled_from(TYPES)
)
def test_labels_of_a_large_plane_do_not_depend_on_the_tiles(
    how: str, seed: int, side: tuple[int, int], dtype: str, network: Path
) -> None:
    spots = np.logical_and.outer(np.arange(100) % 20 < 14, np.arange(90) % 20 < 14)
    planes = np.where(spots, np.stack([draw_nuclei(seed + c, (100, 90)) for c in range(2)]), 60).astype(dtype) - 70
    parameters = {"weights": str(network), "normalisation": how, "margin": 8, "multiple": 1}
    parameters |= {"threshold": {"none": 60, "standard": 1}.get(how, 0.5), "percentiles": [5, 99.5]}
    expected = number(label_stack(onnx_model, *planes[:, np.newaxis], **parameters)[0])
    works = replace(works_on(onnx_model), inputs={"planes": 0, "second": 1})
    part = Part(works, Plane(0, 0, 0).block, Block(range(1), (0, 1), range(1)))
    form = make_form(works, fill_in(onnx_model, parameters, works.inputs), part)
    labels, found = label_array(form, planes[np.newaxis, :, np.newaxis], side)
    np.testing.assert_array_equal(labels, expected)
    assert found.objects == expected.max() > 3


def test_the_demo_is_segmented(tmp_path: Path) -> None:
    planes = embryo_volume(0)[0, 7:9]
    found = segment(write_network(tmp_path / "mean.onnx", MEAN), planes, threshold=0.4, minimum_area=20)
    assert [5 <= labels.max() <= 35 for labels in found] == [True, True]
    for labels, plane in zip(found, planes, strict=True):
        assert plane[labels > 0].mean() > 2 * plane[labels == 0].mean()


def test_distances_and_flows_of_a_network_become_labels(tmp_path: Path) -> None:
    kernel = np.concatenate([MEAN, np.zeros((8, 1, 3, 3))])
    stars = [
        segment(
            write_network(tmp_path / f"{way}.onnx", kernel, (0, *[4.5] * 8), stride=2, channels=way), output="distances"
        )
        for way in ("first", "last")
    ]
    np.testing.assert_array_equal(stars[0], stars[1])
    probability = filtered(MEAN, PLANES[1])[0, ::2, ::2]
    expected = label_stars(
        probability, np.full((*probability.shape, 8), 4.5, "f4"), (60, 70), threshold=0.5, overlap=0.4
    )
    assert expected.max() > 3
    np.testing.assert_array_equal(stars[0][1], expected)
    flows = write_network(tmp_path / "flows.onnx", DERIVATIVE, (0, 0, -0.3))
    found = segment(flows, output="flows", flow_error=0, minimum_area=15)
    values = filtered(DERIVATIVE, PLANES[1]) - np.array([[[0]], [[0]], [[0.3]]], np.float32)
    expected = label_flows(values[:2], values[2], threshold=0, error=0, iterations=200, minimum_area=15)
    assert expected.max() > 3
    assert np.mean(found[1] != expected) < 0.01  # the plane is mirrored beyond its edges, and rounded otherwise


@pytest.mark.parametrize("sizes", [{}, {"y": 48, "x": 64}])
def test_labels_do_not_depend_on_tiles_and_batches(tmp_path: Path, sizes: dict[str, Any]) -> None:
    kernel = np.random.default_rng(0).random((2, 1, 15, 15)) / 100
    whole = segment(write_network(tmp_path / "whole.onnx", kernel), multiple=2)
    assert whole.max() >= 3
    tiled = write_network(tmp_path / "tiled.onnx", kernel, **sizes)
    for batch, tile in ((1, 32), (3, 44)):
        found = segment(tiled, batch=batch, multiple=2, tile=0 if sizes else tile, margin=8)
        np.testing.assert_array_equal(found, whole)


def test_a_network_of_several_channels_gets_them_in_order(tmp_path: Path) -> None:
    file = write_network(tmp_path / "two.onnx", [[[[1.0]], [[-2.0]], [[0.0]]]])
    first, second = np.zeros((2, 1, 20, 30), "u2")
    first[0, 5:9, 5:9] = first[0, 5:9, 15:19] = second[0, 5:9, 15:19] = 9
    found = onnx_model(
        da.from_array(first), da.from_array(second), weights=str(file), channels=3, normalisation="range"
    )
    labels = found.compute()
    assert (labels.max(), labels[0, 6, 6], labels[0, 6, 16]) == (1, 1, 0)
    with pytest.raises(
        ModelError, match=r"two.onnx takes \['n_in', 3, 'y_in', 'x_in'\], not \[1, 1, 32, 32\]. Give it as"
    ):
        segment(file, first)


@pytest.mark.parametrize(
    ("how", "low", "high"), [("percentiles", 0, 1), ("range", 0, 1), ("standard", 0, 1), ("none", 7, 9)]
)
def test_intensities_are_normalised_plane_by_plane(how: Normalisation, low: float, high: float) -> None:
    plane = np.array([[7, 7], [9, 9]], "u2")
    at = np.percentile if how == "percentiles" else lambda values, _: (values.mean(), values.mean() + values.std())
    found = normalise(plane, how, (0, 100))
    measured = at(found, (0, 100)) if how in {"percentiles", "standard"} else (found.min(), found.max())
    assert tuple(measured) == pytest.approx((low, high))
    assert np.isfinite(normalise(np.full((2, 2), 5), how, (1, 99))).all()


def test_what_is_wrong_with_a_network_is_said(tmp_path: Path) -> None:
    nan = write_network(tmp_path / "nan.onnx", MEAN, np.nan)
    with pytest.raises(ModelError, match=r"nan.onnx returned NaN or infinity for 5 planes, so no labels are made"):
        segment(nan)
    (folder := tmp_path / "folder").mkdir()
    (folder / "config.json").write_text("{}")
    with pytest.raises(ModelError, match=r"the folder .* has 0 networks whose name ends in .onnx, not one, so no"):
        segment(folder)
    damaged = tmp_path / "damaged.onnx"
    damaged.write_bytes(nan.read_bytes()[:50])
    with pytest.raises(ModelError, match=r"onnx_model cannot load its model from .*damaged.onnx \(InvalidProtobuf\("):
        segment(damaged)
    mean = write_network(tmp_path / "mean.onnx", MEAN)
    with pytest.raises(
        ModelError, match=r"mean.onnx returns \(1, 60, 70\) \(channels, y, x\) for a plane, and not two flows"
    ):
        segment(mean, output="flows")
    with pytest.raises(ModelError, match=r"mean.onnx returns \(1, .*not a foreground for each pixel as channel 3"):
        segment(mean, channel=3)
    with pytest.raises(ModelError, match="Squares of 32 x 32 pixels with margins of 16 do not cover planes of"):
        segment(mean, tile=32, margin=16)


def test_a_missing_extra_is_named_with_its_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(MissingExtraError, match=r"""onnxruntime cannot be .*`pip install "idr_assets\[onnx\]"`, on"""):
        segment(write_network(tmp_path / "absent.onnx", MEAN * 2))
