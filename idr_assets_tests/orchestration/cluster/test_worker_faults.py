"""Worker processes that die: who is innocent is segmented all the same, and who is guilty is named."""

import os
import re
import signal
from pathlib import Path
from threading import Thread
from time import sleep
from typing import Any

import numpy as np
import numpy.typing as npt
import psutil
import pytest

from idr_assets.imaging.output.creation import create_output
from idr_assets.imaging.output.output_image import open_output
from idr_assets.imaging.planes import Block, Plane
from idr_assets.imaging.reading.level import open_level
from idr_assets.imaging.segmentation import in_flight
from idr_assets.imaging.segmentation.block_task import BlockTask
from idr_assets.imaging.segmentation.blocks import segment_blocks
from idr_assets.imaging.segmentation.functions import gaussian_threshold, per_plane
from idr_assets.imaging.segmentation.plane_results import PlaneFailure, PlaneSummary
from idr_assets.orchestration.cluster.resource import DaskResource
from idr_assets_tests.support.dask_processes import TLS, Scheduler, running_scheduler
from idr_assets_tests.support.small_image import FIELDS, PARTITIONS, PIXELS, PLANES, Segmented, recipe
from idr_assets_tests.support.store_server import StoreServer

PROCESSES = "type: idr_assets.DaskCluster\nattributes:\n  workers: 2\n  cluster: processes\n"


@per_plane
def ends_or_has_no_memory(plane: npt.NDArray[Any]) -> npt.NDArray[np.int32]:
    if np.array_equal(plane, PIXELS[2, 1, 9]):
        os._exit(3)
    if np.array_equal(plane, PIXELS[1, 0, 10]):
        message = "much too large"
        raise MemoryError(message)
    return recipe(plane)


@per_plane
def waits_once(plane: npt.NDArray[Any], *, pid: str) -> npt.NDArray[np.int32]:
    file = Path(pid)
    if np.array_equal(plane, PIXELS[2, 1, 9]) and not file.exists():
        file.write_text(str(os.getpid()))
        sleep(600)
    return recipe(plane)


@per_plane
def ends_every_worker(plane: npt.NDArray[Any], *, other: str) -> npt.NDArray[np.int32]:
    """End the process at one plane, when a plane of another block is stored and known to be."""
    if np.array_equal(plane, PIXELS[2, 1, 9]):
        while not Path(other).exists():
            sleep(0.01)
        sleep(1)
        os._exit(3)
    return recipe(plane)


@per_plane
def waits_for_a_third(plane: npt.NDArray[Any], *, pids: str) -> npt.NDArray[np.int32]:
    Path(pids, str(os.getpid())).touch()
    while len(list(Path(pids).iterdir())) < 3:
        sleep(0.01)
    return recipe(plane)


def replace_one(scheduler: Scheduler, pids: Path) -> None:
    """Add a worker when the two are at work, and kill one of these."""
    while len(list(pids.iterdir())) < 2:
        sleep(0.01)
    scheduler.add_workers(1)
    scheduler.workers[0].kill()


def kill_whoever_waits(file: Path) -> None:
    while not (file.exists() and file.read_text()):
        sleep(0.01)
    os.kill(int(file.read_text()), signal.SIGKILL)


def run_on_processes(segmented: Segmented, function: str, parameters: str = "{}") -> str:
    """Run the window on two worker processes, of which none stays; give why it failed."""
    segmented.project.write(**FIELDS, segmentation=f"{{function: {__name__}.{function}, parameters: {parameters}}}")
    (segmented.project.package / "defs/dask/defs.yaml").write_text(PROCESSES)
    before = psutil.Process().children(recursive=True)
    failure = segmented.run("plane_labels", PARTITIONS[0], PARTITIONS[-1])
    assert psutil.Process().children(recursive=True) == before
    return failure


def stored(segmented: Segmented) -> set[tuple[int, int, int]]:
    output = open_output(str(segmented.project.root / "data/image.ome.zarr"))
    return {plane for plane in PLANES if output.read(Plane(*plane))}


def test_planes_that_kill_their_worker_are_named_and_cost_no_other(fresh: Segmented) -> None:
    failure = run_on_processes(fresh, "ends_or_has_no_memory")
    assert re.findall(r"^t \d+ c \d+ z \d+: .{24}", failure, re.MULTILINE) == [
        "t 1 c 0 z 10: MemoryError: much too la",
        "t 2 c 1 z 9: the worker process that ",
    ]
    assert fresh.materialized() == {"1|09", "2|10"}
    assert stored(fresh) == set(PLANES) - {(2, 1, 9), (1, 0, 10)}


def test_a_worker_killed_from_outside_costs_nothing(fresh: Segmented, tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    killer = Thread(target=kill_whoever_waits, args=[pid], daemon=True)
    killer.start()
    assert run_on_processes(fresh, "waits_once", f"{{pid: {pid}}}") == ""
    killer.join()
    assert fresh.materialized() == set(PARTITIONS)
    assert stored(fresh) == set(PLANES)


def test_planes_that_are_done_stay_when_no_worker_is_left(
    fresh: Segmented, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(in_flight, "WITHOUT_WORKERS", 2)
    other = fresh.project.root / "data/image.ome.zarr/labels/segmentation/0/c/1/1/10/0/0"
    segmentation = f"{{function: {__name__}.ends_every_worker, parameters: {{other: {other}}}}}"
    fresh.project.write(**FIELDS, segmentation=segmentation)
    with running_scheduler(tmp_path) as scheduler:
        (fresh.project.package / "defs/dask/defs.yaml").write_text(PROCESSES.replace("processes", scheduler.address))
        failure = fresh.run("plane_labels", PARTITIONS[0], PARTITIONS[-1])
    done = fresh.materialized()
    assert {"1|09", "1|10"} <= done <= set(PARTITIONS) - {"2|09"}  # how t 2 is cut into blocks depends on the pace
    assert f"Partitions that are done: {len(done)}." in failure
    assert "t 2 c 0 z 9: the dask cluster has no worker any more: all have ended" in failure


def test_planes_that_are_done_are_told_when_the_scheduler_is_lost(fresh: Segmented, tmp_path: Path) -> None:
    level = open_level(str(fresh.project.root / "data/source.zarr"), "0")
    task = BlockTask(level, create_output(str(tmp_path / "output"), level), gaussian_threshold)
    blocks = Block(range(1, 2), (0,), range(12)).single_planes()
    with running_scheduler(tmp_path) as scheduler, DaskResource(cluster=scheduler.address).client() as client:
        results = segment_blocks(client, task, blocks)
        first = next(results)
        scheduler.processes[0].kill()
        rest = list(results)
    lost = [result for result in rest if isinstance(result, PlaneFailure)]
    assert isinstance(first, PlaneSummary)
    assert {result.plane for result in [first, *rest]} == {plane for block in blocks for plane in block.planes()}
    assert {failure.reason[:44] for failure in lost} == {"the connection to the dask scheduler was los"}


def test_workers_of_a_tls_scheduler_come_and_go_during_a_run(fresh: Segmented, tmp_path: Path) -> None:
    pids, defs = tmp_path / "pids", fresh.project.package / "defs/dask"
    pids.mkdir()
    with running_scheduler(tmp_path, certificates=defs) as scheduler, StoreServer(tmp_path / "data", 0.02) as store:
        function = f"{{function: {__name__}.waits_for_a_third, parameters: {{pids: {pids}}}}}"
        whole = {"url": f"{store.url}/source.zarr", "window": "{t: all, z: all}", "segmentation": function}
        fresh.project.write(**FIELDS | whole)
        (defs / "defs.yaml").write_text(TLS.format(address=scheduler.address))
        replacing = Thread(target=replace_one, args=[scheduler, pids], daemon=True)
        replacing.start()
        assert fresh.run("plane_labels", "0|00", "2|11") == ""
        replacing.join()
        assert {int(path.name) for path in pids.iterdir()} == {worker.pid for worker in scheduler.workers}
        assert [worker.exitcode for worker in scheduler.workers] == [-signal.SIGKILL, None, None]
    assert fresh.materialized() == {f"{t}|{z:02}" for t in range(3) for z in range(12)}
    labels = open_output(str(fresh.project.root / "data/image.ome.zarr"))
    for plane in Block(range(3), (0, 1), range(12)).planes():
        found = labels.read(plane)
        assert found
        assert np.array_equal(found.labels, recipe(PIXELS[plane.t, plane.c, plane.z]))
