"""Each form of the dask resource: planes are segmented, everything listens on loopback, and nothing is left behind."""

from collections.abc import Iterator
from pathlib import Path
from threading import Timer
from typing import Any
from urllib.request import urlopen

import numpy as np
import numpy.typing as npt
import psutil
import pytest

from idr_assets.imaging.planes import Block
from idr_assets.imaging.segmentation.block_task import BlockTask
from idr_assets.imaging.segmentation.blocks import segment_blocks
from idr_assets.imaging.segmentation.functions import per_plane
from idr_assets.orchestration.cluster.resource import DaskResource
from idr_assets_tests.support import dask_forms, small_image
from idr_assets_tests.support.dask_processes import TLS, Scheduler, running_scheduler
from idr_assets_tests.support.idr_stores import nuclei_plane, write_image
from idr_assets_tests.support.image_project import ImageProject
from idr_assets_tests.support.segmented_nuclei import check_planes, task_for
from idr_assets_tests.support.small_image import Segmented

FORMS: dict[str, dict[str, Any]] = {
    "in process": {"workers": 2},
    "processes": {"cluster": "processes", "workers": 2},
    "threads of a class": {
        "cluster": "distributed.LocalCluster",
        "workers": 2,
        "arguments": {"threads_per_worker": 1, "processes": False},
    },
    "a class": {"cluster": "distributed.LocalCluster", "workers": 2, "arguments": {"threads_per_worker": 1}},
}
WINDOW = Block(range(3), (0,), range(4))


@pytest.fixture
def task(tmp_path: Path) -> BlockTask:
    """Prepare twelve planes."""
    planes = [[[nuclei_plane(t, 0, z, (40, 50)) for z in WINDOW.z]] for t in WINDOW.t]
    write_image(tmp_path / "source.zarr", np.array(planes), version="0.4")
    return task_for(str(tmp_path / "source.zarr"), tmp_path / "output.ome.zarr")


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scheduler]:
    """Start a scheduler and two workers, which no test ends."""
    with running_scheduler(tmp_path_factory.mktemp("scheduler"), dashboard=True) as scheduler:
        yield scheduler


def tree() -> list[psutil.Process]:
    """List this process and all below it."""
    this = psutil.Process()
    return [this, *this.children(recursive=True)]


def listeners() -> set[tuple[str, int]]:
    """Give the addresses and ports at which these processes listen; servers of other tests may be among them."""
    connections = [connection for process in tree() for connection in process.net_connections()]
    found = [connection.laddr for connection in connections if connection.status == psutil.CONN_LISTEN]
    return {(address.ip, address.port) for address in found}


def check(resource: DaskResource, task: BlockTask, workers: int) -> None:
    with resource.client() as client:
        found = list(segment_blocks(client, task, WINDOW.cut(task.level.chunks, 4)))
        assert {address for address, _ in listeners()} <= {"127.0.0.1"}
        assert (len(found), sum(client.nthreads().values())) == (12, workers)
        assert client.dashboard_link.startswith("http://127.0.0.1:")
        for page in ("status", "workers", "info/main/workers.html"):
            with urlopen(client.dashboard_link.replace("status", page)) as answer:  # noqa: S310
                assert answer.status == 200
    planes = WINDOW.planes()
    check_planes(task.output, planes, [nuclei_plane(plane.t, plane.c, plane.z, (40, 50)) for plane in planes])


@pytest.mark.parametrize("form", FORMS)
def test_a_cluster_that_is_started_ends_with_its_client(task: BlockTask, form: str) -> None:
    before = tree(), listeners()
    check(DaskResource(**FORMS[form]), task, workers=2)
    assert (tree(), listeners()) == before


@per_plane
def fails(plane: npt.NDArray[Any]) -> npt.NDArray[np.int32]:
    message = f"no labels of {plane.shape}"
    raise ValueError(message)


@pytest.mark.parametrize("form", dask_forms.FORMS)
def test_nothing_is_left_of_a_run_that_fails(fresh: Segmented, scheduler: Scheduler, form: str) -> None:
    fresh.project.write(**small_image.FIELDS, segmentation=f"{{function: {__name__}.fails}}")
    before = tree(), listeners()
    dask_forms.write_form(fresh.project.package, form, scheduler.address)
    failure = fresh.run("plane_labels", "1|09", "2|10")
    assert "Planes that failed: 8. Partitions that are done: 0." in failure
    assert failure.count("ValueError: no labels of") == 1
    assert (tree(), listeners()) == before


def test_a_running_scheduler_stays(task: BlockTask, scheduler: Scheduler, caplog: pytest.LogCaptureFixture) -> None:
    before = tree()
    check(DaskResource(cluster=scheduler.address, arguments={"timeout": 30}), task, workers=2)
    assert tree() == before
    assert "without TLS" not in caplog.text


def test_a_scheduler_with_certificates_is_reached_as_the_yaml_says(task: BlockTask, tmp_path: Path) -> None:
    project = ImageProject(tmp_path / "project")
    project.write()
    folder = project.package / "defs" / "dask"
    with running_scheduler(tmp_path, certificates=folder, dashboard=True) as scheduler:
        (folder / "defs.yaml").write_text(TLS.format(address=scheduler.address))
        resource = project.dask()
        check(resource, task, workers=2)
        (folder / "client.pem").unlink()
        with (
            pytest.raises(FileNotFoundError, match="no planes are segmented") as error,
            resource.client(),
        ):
            pass
    assert scheduler.address.startswith("tls://127.0.0.1:")
    assert f"The file {folder}/client.pem, `tls_client_cert` of the dask cluster, does not exist" in str(error.value)


def test_planes_wait_for_the_first_worker(fresh: Segmented, tmp_path: Path) -> None:
    with running_scheduler(tmp_path, workers=0) as scheduler:
        dask = f"type: idr_assets.DaskCluster\nattributes: {{cluster: '{scheduler.address}'}}\n"
        (fresh.project.package / "defs/dask/defs.yaml").write_text(dask)
        late = Timer(1, scheduler.add_workers, [1])
        late.start()
        failure = fresh.run("plane_labels", "1|09", "2|10")
        late.join()  # so that the worker ends with its scheduler, whatever became of the run
    assert failure == ""
    assert len(fresh.materialized()) == 4
