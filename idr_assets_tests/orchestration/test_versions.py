"""Which planes are stale, whatever Dagster knew of the image when they were made; `test_cockpit` asks Dagster too."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from idr_assets.orchestration.automation.missing import stale_planes
from idr_assets.project import find_image
from idr_assets_tests.orchestration.conftest import SETTINGS
from idr_assets_tests.support.networks import write_network
from idr_assets_tests.support.small_image import PARTITIONS, Segmented, change_image, small_image, write_project

OTHERS = {(1, 10), (2, 9), (2, 10)}


SAME: list[dict[str, Any]] = [
    {"parameters": {"sigma": 1, "threshold_fraction": 0.33}},
    {"parameters": {"sigma": 1.0}},
    {"channels": (1, 0)},
]
OTHER: list[dict[str, Any]] = [{"parameters": {"sigma": 1.5}}, {"channels": (0,)}, {"function_path": "another"}]


def stale(segmented: Segmented) -> set[tuple[int, int]]:
    (image,) = find_image(segmented.definitions, "image")
    return stale_planes(segmented.instance, image)


def test_planes_are_fresh_though_the_source_is_looked_at_later(fresh: Segmented) -> None:
    chunk = fresh.project.root / "data/source.zarr/0/1/0/9/0/0"
    pixels = chunk.read_bytes()
    chunk.unlink()
    assert "Planes that failed: 1" in fresh.run("plane_labels", PARTITIONS[0], PARTITIONS[-1])
    chunk.write_bytes(pixels)
    assert fresh.run("plane_labels", PARTITIONS[0]) == ""
    assert stale(fresh) == set()
    assert fresh.run("source_image") == ""
    assert stale(fresh) == set()


def test_planes_of_a_changed_image_are_fresh_and_all_others_stale(fresh: Segmented) -> None:
    assert fresh.run_jobs()
    change_image(fresh)
    assert fresh.run("plane_labels", PARTITIONS[0]) == ""
    assert stale(fresh) == OTHERS
    assert fresh.metadata("source_image")["fingerprint"] in fresh.metadata("plane_labels", PARTITIONS[0])["source"]
    assert fresh.run("source_image") == ""
    assert stale(fresh) == OTHERS


def test_planes_are_stale_after_their_network_got_other_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    network = "{function: idr_assets.imaging.segmentation.onnx_model, parameters: {weights: nuclei.onnx}}"
    project = write_project(tmp_path / "project", segmentation=network)
    weights = write_network(project.root / "data/nuclei.onnx", [[[[1.0]]]])
    with dg.DagsterInstance.ephemeral(settings=SETTINGS) as instance:
        segmented = Segmented(project, instance)
        assert segmented.run("plane_labels", PARTITIONS[0]) == ""
        assert stale(segmented) == set()
        write_network(weights, [[[[0.9]]]])
        assert stale(segmented) == {(1, 9)}
        write_network(weights, [[[[1.0]]]])
        assert stale(segmented) == set()


def test_a_recipe_that_is_written_in_another_way_is_the_same() -> None:
    version = small_image().recipe.version
    assert {small_image(**changes).recipe.version for changes in SAME} == {version}
    assert len({small_image(**changes).recipe.version for changes in OTHER} - {version}) == len(OTHER)
    given, left_out = (small_image(function=own(object()), parameters=it) for it in ({"sizes": [1.0]}, {}))
    assert given.recipe.version == left_out.recipe.version


def own(default: object) -> Callable[..., object]:
    """Make a function with a default that YAML cannot hold."""

    def segment(planes: object, *, sizes: Sequence[float] = (1,), by: object = default) -> object:
        return planes, sizes, by

    return segment
