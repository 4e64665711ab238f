"""Segmenting blocks on a cluster: the notebook's labels, each chunk fetched once, one bad plane for one bad plane."""

import pickle
from collections import Counter
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import scipy.ndimage
from distributed import Client

from benchmarks.large_plane import MOST_BYTES, bytes_of_large_plane
from idr_assets.imaging.output import creation
from idr_assets.imaging.planes import Block, Plane
from idr_assets.imaging.segmentation.block_task import BlockTask
from idr_assets.imaging.segmentation.failures import fail_planes
from idr_assets.imaging.segmentation.plane_results import PlaneFailure, PlaneSummary
from idr_assets_tests.support.damage import damage_writes
from idr_assets_tests.support.idr_stores import nuclei_plane, write_idr_store, write_image
from idr_assets_tests.support.segmented_nuclei import SHAPE, WINDOW, check_planes, segment, serve_nuclei, task_for
from idr_assets_tests.support.store_server import StoreServer

IDR_WINDOW = Block(range(261, 271), (0,), range(489, 499))


def chunk_requests(server: StoreServer) -> Counter[str]:
    return Counter(path for _, path in server.requests if path.rpartition("/")[2][:1].isdigit())


def check_labels(task: BlockTask, planes: list[Plane]) -> None:
    shape = task.level.plane_shape
    check_planes(task.output, planes, [nuclei_plane(plane.t, plane.c, plane.z, shape) for plane in planes])


@pytest.mark.parametrize("version", ["0.1", "0.4"])
def test_the_idr_window_gets_the_notebooks_labels_and_each_plane_is_fetched_once(
    client: Client, server: StoreServer, tmp_path: Path, version: Literal["0.1", "0.4"]
) -> None:
    image = write_idr_store(server.root, version=version, t=IDR_WINDOW.t, c=IDR_WINDOW.c, z=IDR_WINDOW.z)
    task = task_for(f"{server.url}/{image.relative_to(server.root)}", tmp_path / "output.ome.zarr", "4")
    server.reset()
    server.latency = 0.05
    found = segment(client, task, IDR_WINDOW)
    assert sorted(result.plane for result in found) == IDR_WINDOW.planes()
    assert list(chunk_requests(server).values()) == [1] * 100
    assert len(server.requests) == 100
    assert server.peak_in_flight > 1
    check_labels(task, IDR_WINDOW.planes())


LAYOUTS: dict[str, dict[str, Any]] = {
    "a plane a chunk": {},
    "planes cut": {"chunks": (1, 1, 1, 17, 23)},
    "many planes a chunk": {"chunks": (2, 2, 3, 40, 50)},
    "sharded": {"version": "0.5", "chunks": (1, 1, 1, 20, 25), "shards": (1, 2, 5, 40, 50)},
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_labels_do_not_depend_on_chunks(
    client: Client, server: StoreServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, layout: str
) -> None:
    monkeypatch.setattr(creation, "LONGEST_CHUNK", 16)  # so that planes are segmented in pieces
    task = task_for(serve_nuclei(server, **LAYOUTS[layout]), tmp_path / "output.ome.zarr")
    server.reset()
    assert len(segment(client, task, WINDOW)) == len(WINDOW)
    check_labels(task, WINDOW.planes())
    if layout != "sharded":  # of which Zarr reads parts
        assert set(chunk_requests(server).values()) == {1}


def test_a_plane_that_is_damaged_after_it_was_written_is_a_failure(
    client: Client, server: StoreServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    damage_writes(monkeypatch, Plane(2, 1, 3), times=2)
    task = task_for(serve_nuclei(server), tmp_path / "output.ome.zarr")
    found = segment(client, task, WINDOW)
    (failure,) = (result for result in found if isinstance(result, PlaneFailure))
    assert (failure.plane, failure.written) == (Plane(2, 1, 3), True)
    assert failure.reason.startswith("NotAsWrittenError: t 2 c 1 z 3 was written to file://")
    assert task.output.read(failure.plane) is None
    assert sorted(result.plane for result in found) == WINDOW.planes()


def test_a_plane_that_is_damaged_once_is_written_again(
    client: Client, server: StoreServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    damage_writes(monkeypatch, Plane(2, 1, 3), times=1)
    task = task_for(serve_nuclei(server), tmp_path / "output.ome.zarr")
    found = segment(client, task, WINDOW)
    assert sorted(result.plane for result in found if isinstance(result, PlaneSummary)) == WINDOW.planes()
    check_labels(task, WINDOW.planes())


def test_a_missing_chunk_costs_one_plane(client: Client, server: StoreServer, tmp_path: Path) -> None:
    url = serve_nuclei(server)
    (server.root / "image.zarr/0/2/1/3/0/0").unlink()
    task = task_for(url, tmp_path / "output.ome.zarr")
    found = segment(client, task, WINDOW)
    (failure,) = (result for result in found if isinstance(result, PlaneFailure))
    assert (failure.plane, failure.written) == (Plane(2, 1, 3), False)
    assert failure.reason.startswith(
        f"MissingChunkError: The chunk {url}/0/2/1/3/0/0 is missing, so t 2 c 1 z 3 has no pixels"
    )
    assert sorted(result.plane for result in found) == WINDOW.planes()
    assert task.output.read(Plane(2, 1, 3)) is None
    check_labels(task, sorted(set(WINDOW.planes()) - {failure.plane}))


def test_summaries_say_what_is_in_the_plane(client: Client, server: StoreServer, tmp_path: Path) -> None:
    task = task_for(serve_nuclei(server), tmp_path / "output.ome.zarr")
    for found in segment(client, task, Block(range(2), (1, 0), range(2))):
        assert isinstance(found, PlaneSummary)
        plane = nuclei_plane(found.plane.t, found.plane.c, found.plane.z, SHAPE[3:])
        smoothed = scipy.ndimage.gaussian_filter(plane, 1)
        labels, objects = scipy.ndimage.label(smoothed > 0.33 * smoothed.max())
        assert (found.objects, found.minimum, found.maximum) == (objects, float(plane.min()), float(plane.max()))
        assert found.saturated == 0
        assert (found.threshold, found.foreground) == pytest.approx((0.33 * smoothed.max(), np.mean(labels > 0)))
        assert found.seconds is not None
        assert found.seconds > 0


@pytest.mark.parametrize(("dtype", "saturated"), [("uint8", 0.25), (">i2", 0.25), ("float32", None)])
def test_saturated_pixels_are_those_at_the_largest_integer(tmp_path: Path, dtype: str, saturated: float | None) -> None:
    plane = np.zeros((1, 1, 1, 8, 8), dtype)
    plane[..., :4, :4] = np.iinfo(dtype).max if saturated else 1e9
    write_image(tmp_path / "image.zarr", plane, version="0.4")
    (found,) = task_for(str(tmp_path / "image.zarr"), tmp_path / "output")(Block(range(1), (0,), range(1)))
    assert (found.objects, found.saturated) == (1, saturated)


def test_a_large_plane_takes_some_twenty_bytes_a_pixel() -> None:
    assert bytes_of_large_plane(4096) < MOST_BYTES


def test_a_task_carries_no_pixels(server: StoreServer, tmp_path: Path) -> None:
    task = task_for(serve_nuclei(server), tmp_path / "output.ome.zarr")
    assert len(pickle.dumps(task)) < 10_000


def test_the_line_of_an_error_follows_its_last_sentence_without_a_full_stop() -> None:
    error = ValueError("Too dark.")
    assert fail_planes(Plane(0, 0, 0).block, error)[0].reason == "ValueError: Too dark."
    error.add_note("in own, own.py:3")
    assert fail_planes(Plane(0, 0, 0).block, error)[0].reason == "ValueError: Too dark, in own, own.py:3"
