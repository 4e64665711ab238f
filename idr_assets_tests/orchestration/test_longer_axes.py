"""A time-lapse that is still acquired: what is done stays done and fresh, and only new planes are missing."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np
import numpy.typing as npt
import pytest
import zarr

from idr_assets.imaging.objects.tables import objects_frame
from idr_assets.orchestration.automation.missing import missing_planes, stale_planes
from idr_assets.orchestration.image import Image
from idr_assets.orchestration.longer_axes import rename_shorter_keys
from idr_assets.project import find_image
from idr_assets_tests.support.dagster_home import project_instance
from idr_assets_tests.support.idr_stores import nuclei_plane
from idr_assets_tests.support.small_image import Segmented, change_image, recipe, write_project

DEEPER = np.array([[[nuclei_plane(t, 0, z, (24, 20)) for z in range(3)]] for t in range(12)])
LATER = DEEPER[:11, :, :2]
FIRST = LATER[:9]
FIELDS = {"channels": "[0]", "window": "{t: all, z: all}"}
NEW = {(t, z) for t in (9, 10) for z in (0, 1)}


@pytest.fixture
def grown(tmp_path: Path) -> Iterator[Segmented]:
    """Give a project of nine timepoints that are segmented and measured, whose image then has eleven."""
    with project_instance(tmp_path / "home") as instance:
        grown = Segmented(write_project(tmp_path / "grown", FIRST, shape=str(list(FIRST.shape)), **FIELDS), instance)
        assert grown.run("plane_labels", "0|0", "8|1") == ""
        assert grown.run("objects", "0", "8") == ""
        grow(grown, LATER)
        yield grown


def grow(grown: Segmented, pixels: npt.NDArray[np.uint16]) -> None:
    """Lengthen the image to these pixels, all of which are written."""
    array = zarr.open_array(grown.project.root / "data/source.zarr/0")
    array.resize(pixels.shape)
    array[:] = pixels


def follow(grown: Segmented, shape: tuple[int, ...], **fields: str) -> Image:
    """Write a shape into the YAML, and give the image."""
    grown.project.write(shape=str(list(shape)), **FIELDS | fields)
    return find_image(grown.definitions, "image")[0]


def told(grown: Segmented) -> tuple[bool, str]:
    """Look at the image; give whether it passed, and what is told of it."""
    assert grown.run("source_image") == ""
    evaluation = grown.check("source_image", "matches_yaml")
    assert evaluation
    return evaluation.passed, (evaluation.description or "").replace("\\", "")


def test_what_is_done_stays_done_under_keys_that_are_longer(grown: Segmented) -> None:
    passed, remark = told(grown)
    assert passed
    assert "has grown to shape [11, 1, 2, 24, 20], but the YAML says [9, 1, 2, 24, 20]" in remark

    image, before = follow(grown, LATER.shape), grown.metadata("plane_labels", "5|1")
    assert told(grown) == (True, "")
    rename_shorter_keys(grown.instance, image)
    assert stale_planes(grown.instance, image) == set()
    assert missing_planes(grown.instance, image) == NEW
    assert grown.materialized() == {f"{t:02}|{z}" for t in range(9) for z in (0, 1)}
    assert grown.instance.get_materialized_partitions(grown.project.key("objects")) == {f"{t:02}" for t in range(9)}
    assert set(objects_frame(list(image.objects_urls.values()))["t"]) == set(range(9))
    rename_shorter_keys(grown.instance, image)
    assert grown.metadata("plane_labels", "05|1") == before
    assert grown.run("montage") == ""  # in which new planes are empty

    assert grown.run("plane_labels", "09|0", "10|1") == ""
    assert (missing_planes(grown.instance, image), stale_planes(grown.instance, image)) == (set(), set())
    labels = image.open_output().lazy().compute(scheduler="synchronous")
    np.testing.assert_array_equal(labels[:, 0], [[recipe(plane) for plane in planes] for planes in LATER[:, 0]])
    assert grown.run("objects", "09", "10") == ""
    found = objects_frame(list(image.objects_urls.values())).groupby(["t", "z"]).size().to_dict()
    assert found == {(t, z): labels[t, 0, z].max() for t in range(11) for z in (0, 1)}


def test_a_run_renames_first_and_definitions_of_before_leave_longer_keys(grown: Segmented) -> None:
    image = follow(grown, LATER.shape)
    assert grown.run("plane_labels", "09|1") == ""
    assert missing_planes(grown.instance, image) == NEW - {(9, 1)}
    follow(grown, FIRST.shape, segmentation="{parameters: {sigma: 2}}")
    assert grown.run("plane_labels", "5|1") == ""
    assert {"5|1", "05|1"} <= grown.materialized()
    assert image.open_output().labels.shape == LATER.shape
    rename_shorter_keys(grown.instance, image)
    assert missing_planes(grown.instance, image) == NEW - {(9, 1)}
    assert "5|1" not in grown.materialized()
    assert stale_planes(grown.instance, image) == {(5, 1)}  # the newer record counts


def test_an_image_that_grew_makes_planes_stale_only_if_it_changed_otherwise(grown: Segmented) -> None:
    done = {(t, z) for t in range(9) for z in (0, 1)}
    grow(grown, DEEPER[:11])
    image = follow(grown, DEEPER[:11].shape)
    assert grown.run("plane_labels", "09|2") == ""  # which sees the growth first
    assert told(grown) == (True, "")
    assert stale_planes(grown.instance, image) == set()
    assert missing_planes(grown.instance, image) == {(t, z) for t in range(11) for z in range(3)} - done - {(9, 2)}
    assert watch(grown, "").run_requests == []

    before = grown.metadata("source_image")["grown since"]
    grow(grown, DEEPER)
    assert watch(grown, before).cursor == before
    assert told(grown)[0]
    assert stale_planes(grown.instance, image) == set()

    grow(grown, np.concatenate([DEEPER[::-1], DEEPER[:1]]))
    assert len(watch(grown, before).run_requests or []) == 1
    assert told(grown)[0]
    assert stale_planes(grown.instance, image) == done | {(9, 2)}


def test_an_image_that_grew_and_got_another_codec_is_another_one(grown: Segmented) -> None:
    image = follow(grown, LATER.shape)
    change_image(grown)
    assert told(grown) == (True, "")
    rename_shorter_keys(grown.instance, image)
    assert stale_planes(grown.instance, image) == {(t, z) for t in range(9) for z in (0, 1)}


def watch(grown: Segmented, cursor: str) -> Any:  # noqa: ANN401  Dagster's own
    """Evaluate the sensor that watches the image."""
    context = dg.build_sensor_context(instance=grown.instance, cursor=cursor or None)
    return grown.definitions.resolve_sensor_def("watch_image").evaluate_tick(context)
