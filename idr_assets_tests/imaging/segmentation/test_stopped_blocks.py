"""Blocks of a run that is stopped: what is being stored is stored and comes, and of the others nothing is stored."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from distributed import Client, Worker

from idr_assets.imaging.output.writing import store_planes
from idr_assets.imaging.planes import Plane
from idr_assets.imaging.segmentation import block_task, per_plane
from idr_assets.imaging.segmentation.block_task import BlockTask
from idr_assets.imaging.segmentation.blocks import segment_blocks
from idr_assets_tests.support.dagster_home import wait_until
from idr_assets_tests.support.idr_stores import write_image
from idr_assets_tests.support.segmented_nuclei import task_for

PLANES = STORED, STORING, AT_WORK = Plane(0, 0, 0), Plane(1, 0, 0), Plane(2, 0, 0)
PIXELS = np.full((3, 1, 1, 8, 8), np.arange(1, 4)[:, None, None, None, None], "u2")
BEGUN, RELEASED = Event(), Event()


@per_plane
def held(plane: npt.NDArray[Any]) -> npt.NDArray[np.int32]:
    """Label a plane, and hold that which is at work."""
    if plane.max() == PIXELS[AT_WORK.t].max():
        BEGUN.set()
        assert RELEASED.wait(30)
    return np.ones(plane.shape, np.int32)


@pytest.fixture
def task(tmp_path: Path) -> Iterator[BlockTask]:
    image = write_image(tmp_path / "source.zarr", PIXELS, version="0.4")
    BEGUN.clear()
    RELEASED.clear()
    yield replace(task_for(str(image), tmp_path / "output"), function=held)
    RELEASED.set()


def is_busy(dask_worker: Worker) -> bool:
    return bool(dask_worker.state.executing_count)


def stored(task: BlockTask) -> set[Plane]:
    """Give the planes that are stored once no worker is at work."""
    return {plane for plane in PLANES if task.output.read(plane) is not None}


def test_what_is_being_stored_at_a_stop_comes_and_nothing_else_is_stored(
    client: Client, task: BlockTask, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop, seen = Event(), Event()

    def store_slowly(output: Any, block: Any, *arrays: Any) -> Any:  # noqa: ANN401  as it takes them
        if block == STORING.block:
            stop.set()
            assert seen.wait(30)
        return store_planes(output, block, *arrays)

    def give_up(futures: Any) -> None:  # noqa: ANN401  as it takes them
        cancel(futures)
        seen.set()

    cancel: Callable[[Any], None] = client.cancel
    monkeypatch.setattr(block_task, "store_planes", store_slowly)
    monkeypatch.setattr(client, "cancel", give_up)
    blocks = [plane.block for plane in PLANES]
    results = segment_blocks(client, task, blocks, lambda: stop.is_set() and BEGUN.is_set())
    assert {result.plane for result in results} == {STORED, STORING}
    RELEASED.set()
    wait_until(lambda: not any(client.run(is_busy).values()), 30)
    assert stored(task) == {STORED, STORING}


def test_a_run_that_ends_early_stores_nothing_more(client: Client, task: BlockTask) -> None:
    results = segment_blocks(client, task, [STORED.block, AT_WORK.block])
    assert next(results).plane == STORED
    assert BEGUN.wait(30)
    del results
    wait_until(lambda: not any(client.processing().values()), 30)
    RELEASED.set()
    wait_until(lambda: not any(client.run(is_busy).values()), 30)
    assert stored(task) == {STORED}
