"""Each form of the dask resource: planes are segmented, everything listens on loopback, and nothing is left behind."""

import re
from collections.abc import Iterator
from pathlib import Path
from threading import Timer
from typing import Any
from urllib.request import urlopen

import dask.config
import numpy as np
import numpy.typing as npt
import psutil
import pytest
import scipy.ndimage
import yaml
from dask_jobqueue.slurm import SLURMCluster

from idr_assets.imaging.output.creation import create_output
from idr_assets.imaging.output.output_image import open_output
from idr_assets.imaging.planes import Block, Plane
from idr_assets.imaging.reading.level import open_level
from idr_assets.imaging.segmentation.block_task import BlockTask
from idr_assets.imaging.segmentation.blocks import segment_blocks
from idr_assets.imaging.segmentation.functions import gaussian_threshold, per_plane
from idr_assets.orchestration.cluster.resource import DaskResource
from idr_assets.orchestration.cluster.security import warn_if_readable
from idr_assets_tests.support import dask_forms, small_image
from idr_assets_tests.support.dagster_home import ROOT, dagster_home
from idr_assets_tests.support.dask_processes import TLS, Scheduler, running_scheduler
from idr_assets_tests.support.idr_stores import nuclei_plane, write_image
from idr_assets_tests.support.image_project import ImageProject
from idr_assets_tests.support.small_image import PIXELS, PLANES, Segmented, recipe, write_project
from idr_assets_tests.support.store_server import StoreServer

SHORT = {"timeout": 0.1}
FORMS: dict[str, dict[str, Any]] = {
    "in process": {"workers": 2},
    "processes": {"cluster": "processes", "workers": 2},
    "a class": {
        "cluster": "distributed.LocalCluster",
        "workers": 2,
        "arguments": {"protocol": "tcp", "processes": False, "threads_per_worker": 1},
    },
}
JOBS = """\
type: idr_assets.DaskCluster
attributes:
  cluster: dask_jobqueue.local.LocalCluster
  workers: 2
  arguments:
    cores: 1
    memory: 1 GB
    nanny: false
    scheduler_options: {host: 127.0.0.1, dashboard_address: "127.0.0.1:0"}
    worker_extra_args: ["--host", "127.0.0.1", "--dashboard-address", "127.0.0.1:0", "--no-dashboard"]
"""
"""dask-jobqueue's stand-in for SLURM and its like: it writes a job's script as they do, and runs it on this machine."""

ON_LOOPBACK = {"scheduler_options": {"host": "127.0.0.1", "dashboard_address": "127.0.0.1:0"}}

GUIDE = {
    attributes["cluster"]: attributes
    for block in re.findall(r"```yaml\n(.*?)```", (ROOT / "docs/how_to/cluster.md").read_text(), re.DOTALL)
    if (attributes := yaml.safe_load(block).get("attributes"))
}
"""The clusters that docs/how_to/cluster.md shows."""

WINDOW = Block(range(3), (0,), range(4))


@pytest.fixture
def task(tmp_path: Path) -> BlockTask:
    """Prepare twelve planes."""
    planes = [[[nuclei_plane(t, 0, z, (40, 50)) for z in WINDOW.z]] for t in WINDOW.t]
    write_image(tmp_path / "source.zarr", np.array(planes), version="0.4")
    level = open_level(str(tmp_path / "source.zarr"), "0")
    return BlockTask(level, create_output(str(tmp_path / "output.ome.zarr"), level), gaussian_threshold)


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
    for plane in WINDOW.planes():
        stored = task.output.read(plane)
        assert stored is not None
        smoothed = scipy.ndimage.gaussian_filter(nuclei_plane(plane.t, plane.c, plane.z, (40, 50)), 1)
        np.testing.assert_array_equal(stored.labels, scipy.ndimage.label(smoothed > 0.33 * smoothed.max())[0])


@pytest.mark.parametrize("form", FORMS)
def test_a_cluster_that_is_started_ends_with_its_client(task: BlockTask, form: str) -> None:
    before = tree(), listeners()
    check(DaskResource(**FORMS[form]), task, workers=2)
    assert (tree(), listeners()) == before


def test_a_class_of_which_the_yaml_says_no_more_listens_on_loopback() -> None:
    before = listeners()
    with DaskResource(cluster="distributed.LocalCluster", workers=1).client() as client:
        assert client.submit(sum, [1, 2]).result() == 3
        assert {address for address, _ in listeners() - before} == {"127.0.0.1"}
    assert listeners() == before


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


def test_jobs_of_slurm_are_those_of_the_guide(tmp_path: Path) -> None:
    arguments = GUIDE["dask_jobqueue.SLURMCluster"]["arguments"]
    with SLURMCluster(
        **arguments | ON_LOOPBACK | {"interface": None, "shared_temp_directory": str(tmp_path)}
    ) as cluster:
        script = cluster.job_script()
    for line in ("-p compute", "--cpus-per-task=4", "--mem=8G", "-t 01:00:00"):
        assert f"#SBATCH {line}\n" in script
    assert "--nthreads 1 " in script
    assert "--nworkers 4 " in script
    assert "export IDR_ASSETS_DATA=" in script


def queue_of(folder: Path, sbatch: str) -> DaskResource:
    """Put the commands of a queue into a folder, `sbatch` where there is a line of shell for it; give its cluster."""
    for name, line in {"sbatch": sbatch, "scancel": "true"}.items():
        if line:
            (folder / name).write_text(f"#!/bin/sh\n{line}\n")
            (folder / name).chmod(0o755)
    arguments = {"cores": 1, "memory": "1 GB"} | ON_LOOPBACK
    return DaskResource(cluster="dask_jobqueue.SLURMCluster", workers=2, arguments=arguments)


@pytest.mark.parametrize(
    ("sbatch", "told"),
    [
        ("", "'sbatch'"),
        ("echo invalid partition >&2; exit 1", "invalid partition"),
        ("echo taken", "parse job id"),
        ("/bin/mkdir $0.1 2>/dev/null && echo Submitted batch job 7 || { echo job limit >&2; exit 1; }", "job limit"),
    ],
)
def test_a_queue_that_refuses_a_job_is_named(
    sbatch: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    resource = queue_of(tmp_path, sbatch)
    before = set(psutil.Process().net_connections("tcp"))
    with (
        pytest.raises(OSError, match="start all of its workers, so no planes are segmented") as error,
        resource.client(),
    ):
        pass
    assert told in str(error.value)
    assert "Run on a machine that has the commands of its queue, or correct `workers` or `arguments`" in str(
        error.value
    )
    assert set(psutil.Process().net_connections("tcp")) <= before


def test_jobs_of_a_queue_segment_planes_and_leave_no_process(tmp_path: Path) -> None:
    project = write_project(tmp_path / "project")
    (project.package / "defs/dask/defs.yaml").write_text(JOBS)
    project.write_definitions()
    (tmp_path / "home").mkdir()
    with dagster_home(tmp_path / "home", project.root) as home:
        (project.root / "data").rename(home.data)
        asset = "-m project.definitions --select image/plane_labels"
        code, output = home.run(f"dagster asset materialize {asset} --partition-range '1|09...2|10'")
        assert code == 0, output
        assert psutil.wait_procs(home.processes, timeout=10)[1] == []
        labels = open_output(str(home.data / "image.ome.zarr"))
    for plane in PLANES:
        stored = labels.read(Plane(*plane))
        assert stored
        np.testing.assert_array_equal(stored.labels, recipe(PIXELS[plane]))


@pytest.mark.parametrize("field", ["tls_ca", "tls_min_version"])
def test_security_that_dask_does_not_know_is_refused(field: str) -> None:
    resource = DaskResource(
        cluster="tls://127.0.0.1:1", arguments={"security": {field: "ca.pem", "tls_client_key": "-----\nkey"}}
    )
    with pytest.raises(ValueError, match="so no planes can be segmented") as error, resource.client():
        pass
    assert f"with the fields ['{field}', 'tls_client_key'], cannot be used" in str(error.value)
    assert "-----" not in str(error.value)
    assert "Write `tls_ca_file`, `tls_client_cert`, `tls_client_key`" in str(error.value)


@pytest.mark.parametrize(
    "address", ["tls://192.0.2.1:8786", "tcp://127.0.0.1:8786", "tcp://[::1]:8786", "tcp://localhost:8786"]
)
def test_a_scheduler_on_this_machine_or_with_tls_is_not_warned_of(
    address: str, caplog: pytest.LogCaptureFixture
) -> None:
    warn_if_readable(address)
    assert caplog.records == []


def test_a_scheduler_beyond_this_machine_without_tls_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    address = "tcp://no-such-host.invalid:8786"
    with pytest.raises(OSError, match="no-such-host"), DaskResource(cluster=address, arguments=SHORT).client():
        pass
    (warning,) = (record.getMessage() for record in caplog.records if record.levelname == "WARNING")
    assert f"{address} is reached without TLS: pixels and code travel unencrypted and unauthenticated" in warning
    assert "write its tls:// address" in warning


NO_FORMS = ["in_proces", "no_such_module.Cluster", "distributed.NoSuchCluster", ".Cluster", "distributed.Client"]


@pytest.mark.parametrize("form", NO_FORMS)
def test_a_form_that_does_not_exist_is_refused(form: str) -> None:
    with pytest.raises(ValueError, match="so no planes can be segmented") as error, DaskResource(cluster=form).client():
        pass
    assert repr(form) in str(error.value)
    assert "Write `in_process`, `processes`, the address of a scheduler" in str(error.value)


def test_a_scheduler_that_does_not_answer_is_named() -> None:
    resource = DaskResource(cluster="tcp://127.0.0.1:1", arguments=SHORT)
    answer = r"No scheduler answers at tcp://127\.0\.0\.1:1, so no planes are segmented .* correct `cluster`"
    with pytest.raises(OSError, match=answer), resource.client():
        pass


@pytest.mark.parametrize("form", ["in_process", "processes"])
def test_settings_of_the_user_with_which_no_cluster_starts_are_named(form: str) -> None:
    said = rf"`{form}` cannot start, so .*'/proc/nowhere'\)\. Correct your settings of dask, .*`temporary-directory`"
    with (
        dask.config.set({"temporary-directory": "/proc/nowhere"}),
        pytest.raises(OSError, match=said),
        DaskResource(cluster=form, workers=1).client(),
    ):
        pass


def test_what_is_no_cluster_is_not_called(tmp_path: Path) -> None:
    made = tmp_path / "made"
    resource = DaskResource(cluster="subprocess.check_output", arguments={"args": ["touch", str(made)]})
    with pytest.raises(ValueError, match=r"not a `distributed\.deploy\.Cluster`"), resource.client():
        pass
    assert not made.exists()


@pytest.mark.parametrize("form", ["in_process", "processes", "distributed.LocalCluster", "tcp://127.0.0.1:1"])
@pytest.mark.parametrize("nested", [False, True])
def test_no_code_is_fetched_from_the_web(tmp_path: Path, form: str, nested: bool) -> None:  # noqa: FBT001
    made = tmp_path / "made"
    (tmp_path / "code.py").write_text(f"open({str(made)!r}, 'w')")
    with StoreServer(tmp_path) as server:
        preload = {"preload": [f"{server.url}/code.py"]}
        resource = DaskResource(cluster=form, arguments={"scheduler_kwargs": preload} if nested else preload)
        with pytest.raises(ValueError, match="`preload` of the dask cluster names a web address"), resource.client():
            pass
        assert server.requests == []
    assert not made.exists()


def test_templates_of_a_cluster_run_no_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = ImageProject(tmp_path / "project")
    project.write()
    yaml = project.package / "defs/dask/defs.yaml"
    monkeypatch.setenv("SCHEDULER", "tcp://127.0.0.1:8786")
    yaml.write_text("type: idr_assets.DaskCluster\nattributes: {cluster: '{{ env.SCHEDULER }}'}\n")
    resource = project.dask()
    assert resource.cluster == "tcp://127.0.0.1:8786"
    yaml.write_text("type: idr_assets.DaskCluster\nattributes: {cluster: '{{ 6 * 7 }}'}\n")
    with pytest.raises(Exception, match="dask") as raised:
        project.load()
    assert "{{ 6 * 7 }} in attributes.cluster is a template that could run code" in str(raised.value.__cause__)
