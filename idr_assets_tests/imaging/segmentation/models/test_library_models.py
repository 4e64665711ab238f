"""Cellpose and StarDist on random weights, by `make test-models`; elsewhere, what is said of a missing library."""

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from idr_assets.imaging.segmentation import cellpose_model, stardist_model
from idr_assets.imaging.segmentation.models.batches import label_stack
from idr_assets.imaging.segmentation.models.extras import MissingExtraError
from idr_assets_tests.support.idr_stores import nuclei_plane

PLANES = np.stack([nuclei_plane(t, 0, 3, (60, 75)) for t in range(3)]).astype(">u2")
FUNCTIONS = {"cellpose": cellpose_model, "stardist": stardist_model}

pytestmark = pytest.mark.filterwarnings("ignore")  # of torch and TensorFlow


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def need(package: str) -> Any:  # noqa: ANN401
    return pytest.importorskip(package, reason="make test-models installs it")


@pytest.mark.processes
@pytest.mark.timeout(3000)
def test_cellpose_labels_planes_in_batches(tmp_path: Path) -> None:
    torch = need("torch")
    network = need("cellpose.models").CPSAM(dtype=torch.bfloat16)
    torch.manual_seed(0)
    torch.save(network.state_dict(), tmp_path / "random.pt")
    given = {"weights": str(tmp_path / "random.pt"), "flow_error": 0.0, "threshold": -10.0, "minimum_area": 0}
    found = label_stack(cellpose_model, PLANES, batch=3, **given)
    assert found.shape == PLANES.shape
    alone = label_stack(cellpose_model, PLANES[1:2], **given)
    np.testing.assert_array_equal(found[1:2], alone)


@pytest.mark.processes
@pytest.mark.timeout(3000)
def test_stardist_labels_planes_in_batches_as_it_does_by_itself(tmp_path: Path) -> None:
    models = need("stardist.models")
    config = models.Config2D(n_rays=32, grid=(2, 2), unet_n_depth=2, unet_n_filter_base=8, net_conv_after_unet=16)
    model = models.StarDist2D(config, name="random", basedir=str(tmp_path))
    kernel, bias = model.keras_model.get_layer("dist").get_weights()
    model.keras_model.get_layer("dist").set_weights([100 * kernel, bias + 4])  # objects of some pixels
    model.keras_model.save_weights(str(tmp_path / "random/weights_best.weights.h5"))
    normalised = need("csbdeep.utils").normalize(PLANES[1].astype("f4"), 1, 99.8)
    threshold = float(np.quantile(model.predict(normalised)[0], 0.7))
    expected, _ = model.predict_instances(normalised, prob_thresh=threshold, sparse=False)
    assert np.bincount(expected.ravel())[1:].max() > 20
    given = {"weights": str(tmp_path / "random"), "threshold": threshold}
    np.testing.assert_array_equal(label_stack(stardist_model, PLANES[1:2], **given)[0], expected)
    together = label_stack(stardist_model, PLANES, batch=3, **given)
    assert np.mean((together[1] > 0) != (expected > 0)) < 0.01  # TensorFlow rounds otherwise in a batch


@pytest.mark.parametrize("package", FUNCTIONS)
def test_a_missing_library_is_named_with_the_command_that_installs_it(tmp_path: Path, package: str) -> None:
    if importlib.util.find_spec(package):
        pytest.skip("it is installed here")
    (tmp_path / "weights").write_text(package)
    with pytest.raises(
        MissingExtraError, match=rf"""^{package}\.models cannot .*`pip install "idr_assets\[{package}\]"`"""
    ):
        label_stack(FUNCTIONS[package], PLANES, weights=str(tmp_path / "weights"))
