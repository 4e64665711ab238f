"""The YAML of the dask cluster: what names nothing is refused as it is loaded, so that no run has to meet it."""

from pathlib import Path

import pytest

from idr_assets.orchestration.cluster.resource import DaskResource
from idr_assets_tests.support.image_project import ImageProject


@pytest.fixture
def project(tmp_path: Path) -> ImageProject:
    project = ImageProject(tmp_path)
    project.write()
    return project


def write(project: ImageProject, cluster: str) -> Path:
    file = project.package / "defs/dask/defs.yaml"
    file.write_text(f"type: idr_assets.DaskCluster\nattributes:\n  workers: 2\n  cluster: '{cluster}'\n")
    return file


@pytest.mark.parametrize(
    "cluster",
    ["in_proces", "", ".Cluster", "package_nowhere.Cluster", "dask_jobqueue", "__main__.C", "{{ env.NAMED }}"],
)
def test_a_cluster_that_names_nothing_is_refused(
    project: ImageProject, cluster: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NAMED", "package_nowhere.Cluster")
    file = write(project, cluster)
    with pytest.raises(Exception, match=r"dask\n.*defs\.yaml \(DaskCluster\) \(error\)") as raised:
        project.load()
    value = "package_nowhere.Cluster" if "{" in cluster else cluster
    message = str(raised.value.__cause__)
    assert f"{value!r} in attributes.cluster at {file}:4 names no cluster" in message
    assert "write `in_process`, `processes`, the address of a scheduler" in message
    assert "pip install dask-jobqueue" in message


@pytest.mark.parametrize("cluster", ["in_process", "processes", "dask_jobqueue.SLURMCluster", "tls://10.0.0.1:8786"])
def test_a_cluster_that_may_be_there_is_not_looked_for(project: ImageProject, cluster: str) -> None:
    write(project, cluster)
    assert project.dask().cluster == cluster


def test_a_variable_that_holds_no_text_is_refused_as_such(
    project: ImageProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NAMED", "5")
    write(project, "{{ env.NAMED }}")
    with pytest.raises(Exception, match=r"defs\.yaml \(DaskCluster\) \(error\)") as raised:
        project.load()
    assert "cluster\n  Input should be a valid string" in str(raised.value.__cause__)


def test_a_project_without_a_cluster_uses_threads_of_the_run(project: ImageProject) -> None:
    project.write()
    other = ImageProject(project.root, "other")
    other.write()
    (project.package / "defs/dask/defs.yaml").unlink()
    (project.package / "defs/dask").rmdir()
    assert project.dask() == DaskResource()
    assert project.load().executor is None  # that of the project
