"""Worker processes that die: who is innocent is segmented all the same, and who is guilty is named."""

import os
import re
import signal
from multiprocessing import resource_tracker
from pathlib import Path
from threading import Thread
from time import sleep
from typing import Any

import numpy as np
import numpy.typing as npt
import psutil

from idr_assets.imaging.label_image import open_label_image
from idr_assets.imaging.planes import Plane
from idr_assets.imaging.segmentation import per_plane
from idr_assets_tests.orchestration.small_image import FIELDS, PARTITIONS, PIXELS, PLANES, Segmented, recipe

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


def kill_whoever_waits(file: Path) -> None:
    while not (file.exists() and file.read_text()):
        sleep(0.01)
    os.kill(int(file.read_text()), signal.SIGKILL)


def run_on_processes(segmented: Segmented, function: str, parameters: str = "{}") -> str:
    """Run the window on two worker processes, of which none stays; give why it failed."""
    segmented.project.write(**FIELDS, segmentation=f"{{function: {__name__}.{function}, parameters: {parameters}}}")
    (segmented.project.package / "defs/dask/defs.yaml").write_text(PROCESSES)
    resource_tracker.ensure_running()  # Python's own helper, which the first process started brings along
    before = psutil.Process().children(recursive=True)
    failure = segmented.run("plane_labels", PARTITIONS[0], PARTITIONS[-1])
    assert psutil.Process().children(recursive=True) == before
    return failure


def stored(segmented: Segmented) -> set[tuple[int, int, int]]:
    output = open_label_image(str(segmented.project.root / "data/image.ome.zarr"))
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
