"""Blocks go to workers that have what they need, and are read ahead while a model works."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from distributed import Client, Scheduler, SpecCluster, Worker, get_worker

from idr_assets.imaging.planes import Block
from idr_assets.imaging.reading.source import Source
from idr_assets.imaging.segmentation import in_flight, per_batch, per_plane, versioned
from idr_assets.imaging.segmentation.label_numbers import Labels, Pixels
from idr_assets.imaging.segmentation.plane_results import PlaneFailure, PlaneSummary
from idr_assets.imaging.segmentation.recipe import Recipe
from idr_assets.imaging.segmentation.run import SegmentationRun
from idr_assets.imaging.segmentation.workers import UNFIT_JOBS, WORKERS_UNFIT
from idr_assets_tests.support.segmented_nuclei import serve_nuclei
from idr_assets_tests.support.store_server import StoreServer

WINDOW = Block(range(4), (0, 1), range(5))

used: set[object] = set()


@pytest.fixture(scope="module")
def two_workers() -> Iterator[Client]:
    """Start a worker with a GPU, as dask sees it, and one without."""
    web: dict[str, Any] = {"dashboard": False, "dashboard_address": "127.0.0.1:0"}
    workers = {
        name: {"cls": Worker, "options": {"nthreads": 4, "resources": resources, **web}}
        for name, resources in {"with": {"GPU": 1}, "without": {}}.items()
    }
    scheduler = {"cls": Scheduler, "options": {"protocol": "inproc", **web}}
    with SpecCluster(workers, scheduler) as cluster, Client(cluster) as client:
        client.wait_for_workers(2)
        yield client


@versioned("1")
@per_plane
def noted(plane: Pixels) -> Pixels:
    used.add(get_worker().name)
    return np.asarray(plane > 400, int)


class Slow:
    """A model that works, at its first call, until the planes of another block are read."""

    server: StoreServer

    def __init__(self) -> None:
        self.waits = True

    def __call__(self, planes: Pixels) -> Labels:
        until = time.monotonic() + 60
        while self.waits and len(set(self.server.requests)) <= len(planes):
            time.sleep(0.01)
            if time.monotonic() > until:
                used.add("nothing was read while the model worked")
                break
        self.waits = False
        return np.asarray(planes > 400, np.int32)


@versioned("1")
@per_batch(model=Slow, batch=100)
def slow(planes: Pixels, *, model: Slow) -> Labels:
    used.add(get_worker().name)
    return model(planes)


def prepare(url: str, output: Path, function: Any, **needs: float) -> SegmentationRun:  # noqa: ANN401
    recipe = Recipe("mine", function, {}, (0, 1), needs=needs)
    return SegmentationRun.prepare(Source(url, "0"), recipe, WINDOW, str(output))


def test_blocks_go_to_workers_that_have_what_they_need(
    two_workers: Client, server: StoreServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = serve_nuclei(server)
    monkeypatch.setattr(in_flight, "WITHOUT_WORKERS", 0.5)
    found = list(prepare(url, tmp_path / "output", noted, GPU=1).segment(two_workers, WINDOW, threads=8))
    assert sorted(it.plane for it in found if isinstance(it, PlaneSummary)) == WINDOW.planes()
    assert used == {"with"}
    found = list(prepare(url, tmp_path / "two", noted, GPU=2).segment(two_workers, WINDOW, threads=8))
    assert {it.reason for it in found if isinstance(it, PlaneFailure)} == {
        WORKERS_UNFIT.format(needs="GPU=2", remedy=UNFIT_JOBS.format(needs="GPU=2"))
    }


def test_blocks_are_read_while_a_model_works(two_workers: Client, server: StoreServer, tmp_path: Path) -> None:
    run = prepare(serve_nuclei(server), tmp_path / "output", slow, GPU=1)
    server.reset()
    Slow.server = server
    used.clear()
    found = list(run.segment(two_workers, WINDOW, threads=8))
    assert sorted(it.plane for it in found if isinstance(it, PlaneSummary)) == WINDOW.planes()
    assert used == {"with"}
