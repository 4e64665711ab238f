"""Clusters whose workers are jobs of a queue: as the guide writes them, refused, and segmenting planes."""

import re
from pathlib import Path

import psutil
import pytest
import yaml
from dask_jobqueue.slurm import SLURMCluster

from idr_assets.imaging.output.output_image import open_output
from idr_assets.imaging.planes import Plane
from idr_assets.orchestration.cluster.resource import DaskResource
from idr_assets_tests.support.dagster_home import ROOT, dagster_home
from idr_assets_tests.support.segmented_nuclei import check_planes
from idr_assets_tests.support.small_image import PIXELS, PLANES, write_project

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
    remedy = "Run on a machine that has the commands of its queue, or correct `workers` or `arguments`"
    assert remedy in str(error.value)
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
        labelled = open_output(str(home.data / "image.ome.zarr"))
    check_planes(labelled, [Plane(*plane) for plane in PLANES], [PIXELS[plane] for plane in PLANES])
