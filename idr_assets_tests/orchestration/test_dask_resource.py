"""Each form of the dask resource: planes are segmented, everything listens on loopback, and nothing is left behind."""

import sys
from collections.abc import Iterator
from multiprocessing import resource_tracker
from pathlib import Path
from subprocess import Popen
from typing import Any
from urllib.request import urlopen

import numpy as np
import psutil
import pytest
import scipy.ndimage
from distributed import Client

from idr_assets.imaging.blocks import BlockTask, segment_blocks
from idr_assets.imaging.label_image import create_label_image
from idr_assets.imaging.planes import Block
from idr_assets.imaging.segmentation import gaussian_threshold
from idr_assets.imaging.source import open_level
from idr_assets.orchestration.dask_resource import DaskResource
from idr_assets_tests.idr_stores import nuclei_plane, write_image

LOOPBACK = {"host": "127.0.0.1", "dashboard_address": "127.0.0.1:0"}
FORMS: dict[str, dict[str, Any]] = {
    "in process": {"workers": 2},
    "processes": {"cluster": "processes", "workers": 2},
    "a class": {
        "cluster": "distributed.LocalCluster",
        "workers": 2,
        "arguments": LOOPBACK | {"protocol": "tcp", "processes": False, "threads_per_worker": 1},
    },
}
WINDOW = Block(range(3), (0,), range(4))


@pytest.fixture
def task(tmp_path: Path) -> BlockTask:
    """Prepare twelve planes."""
    planes = [[[nuclei_plane(t, 0, z, (40, 50)) for z in WINDOW.z]] for t in WINDOW.t]
    write_image(tmp_path / "source.zarr", np.array(planes), version="0.4")
    level = open_level(str(tmp_path / "source.zarr"), "0")
    return BlockTask(level, create_label_image(str(tmp_path / "output.ome.zarr"), level), gaussian_threshold)


@pytest.fixture
def remote(tmp_path: Path) -> Iterator[str]:
    """Start a scheduler and two workers as processes of their own, and give the scheduler's address."""
    file = str(tmp_path / "scheduler.json")
    common = ["--host", "127.0.0.1", "--dashboard-address", "127.0.0.1:0", "--scheduler-file", file]
    commands = [["scheduler", "--port", "0"], *[["worker", "--nthreads", "1", "--no-nanny"]] * 2]
    processes = [Popen([sys.executable, "-m", "dask", *command, *common]) for command in commands]  # noqa: S603
    try:
        with Client(scheduler_file=file, timeout=60) as client:
            client.wait_for_workers(2, timeout=60)
            address: str = client.scheduler.address
        yield address
    finally:
        for process in processes:
            process.kill()
            process.wait()


def tree() -> list[psutil.Process]:
    """List this process and all below it."""
    this = psutil.Process()
    return [this, *this.children(recursive=True)]


def listening_addresses() -> set[str]:
    connections = [connection for process in tree() for connection in process.net_connections()]
    return {connection.laddr.ip for connection in connections if connection.status == psutil.CONN_LISTEN}


def check(resource: DaskResource, task: BlockTask, workers: int) -> None:
    with resource.client() as client:
        found = list(segment_blocks(client, task, WINDOW.cut(task.level.chunks, 4)))
        assert listening_addresses() <= {"127.0.0.1"}
        assert (len(found), sum(client.nthreads().values())) == (12, workers)
        assert client.dashboard_link.startswith("http://127.0.0.1:")
        for page in ("status", "workers", "info/main/workers.html"):
            with urlopen(client.dashboard_link.replace("status", page)) as answer:  # noqa: S310
                assert answer.status == 200
    for plane in WINDOW.planes():
        stored = task.output.read(plane)
        assert stored is not None
        smoothed = scipy.ndimage.gaussian_filter(nuclei_plane(plane.t, plane.c, plane.z, (40, 50)), 1)
        np.testing.assert_array_equal(stored.labels, scipy.ndimage.label(smoothed > 0.33 * smoothed.max())[0])


@pytest.mark.parametrize("form", FORMS)
def test_a_cluster_that_is_started_ends_with_its_client(task: BlockTask, form: str) -> None:
    resource_tracker.ensure_running()  # Python's own helper, which the first process started brings along
    before = tree()
    check(DaskResource(**FORMS[form]), task, workers=2)
    assert tree() == before
    assert listening_addresses() == set()


@pytest.mark.parametrize("form", ["in_process", "processes"])
def test_nothing_listens_beyond_loopback(form: str) -> None:
    with DaskResource(cluster=form, workers=1).client() as client:
        assert client.submit(sum, [1, 2]).result() == 3
        assert listening_addresses() == {"127.0.0.1"}
    assert listening_addresses() == set()


def test_a_running_scheduler_stays(task: BlockTask, remote: str) -> None:
    before = tree()
    check(DaskResource(cluster=remote, arguments={"timeout": 30}), task, workers=2)
    assert tree() == before


@pytest.mark.parametrize("form", ["in_proces", "no_such_module.Cluster", "distributed.NoSuchCluster", ".Cluster"])
def test_a_form_that_does_not_exist_is_refused(form: str) -> None:
    with pytest.raises(ValueError, match="so no planes can be segmented") as error, DaskResource(cluster=form).client():
        pass
    assert repr(form) in str(error.value)
    assert "Write `in_process`, `processes`, the address of a scheduler" in str(error.value)


def test_a_scheduler_that_does_not_answer_is_named() -> None:
    resource = DaskResource(cluster="tcp://127.0.0.1:1", arguments={"timeout": 0.1})
    with pytest.raises(OSError, match=r"tcp://127\.0\.0\.1:1"), resource.client():
        pass
