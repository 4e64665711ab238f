"""Runs of networks in ONNX form: what fails, and what is noted."""

from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
from distributed import Client

from idr_assets.imaging.planes import Block, Plane
from idr_assets.imaging.reading.source import Source
from idr_assets.imaging.segmentation import onnx_model
from idr_assets.imaging.segmentation.model_log import describe_models
from idr_assets.imaging.segmentation.models.devices import is_lost
from idr_assets.imaging.segmentation.plane_results import PlaneFailure
from idr_assets.imaging.segmentation.recipe import Recipe
from idr_assets.imaging.segmentation.run import SegmentationRun
from idr_assets_tests.support.idr_stores import nuclei_plane, write_image
from idr_assets_tests.support.networks import write_network

MEAN = np.full((1, 1, 3, 3), 1 / 9)


def test_a_plane_that_makes_a_network_give_nan_costs_no_other(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    pixels = np.stack([nuclei_plane(t, 0, 3, (60, 70)) for t in range(5)])[None, None].astype("f4")
    pixels[0, 0, 3, 5, 5] = np.nan
    write_image(tmp_path / "source.zarr", pixels, version="0.4")
    window, runs = Block(range(1), (0,), range(5)), []
    for name, factor in (("mean", 1), ("other", 2)):
        weights = write_network(tmp_path / f"{name}.onnx", MEAN * factor)
        recipe = Recipe("mine", onnx_model, {"weights": str(weights)}, (0,))
        output = str(tmp_path / f"{name}.ome.zarr")
        runs.append(SegmentationRun.prepare(Source(str(tmp_path / "source.zarr"), "0"), recipe, window, output))
    found = list(runs[0].segment(client, window, threads=2))
    (failure,) = (it for it in found if isinstance(it, PlaneFailure))
    assert failure.plane == Plane(0, 0, 3)
    assert failure.reason.startswith("ModelError: ")
    assert "mean.onnx returned NaN or infinity for 1 plane, so no labels are made" in failure.reason
    assert runs[0].provenance.packages["onnxruntime"] == version("onnxruntime")
    assert runs[0].recipe.version != runs[1].recipe.version
    log = "\n".join(describe_models(client, runs[0].recipe))
    assert f"(onnxruntime {version('onnxruntime')}), and labelled " in log


def test_a_path_that_names_a_gpu_is_no_lost_device() -> None:
    error = OSError("/models/gpu/nuclei.onnx cannot be read")
    assert is_lost(error)
    assert not is_lost(error, "/models/gpu/nuclei.onnx")
