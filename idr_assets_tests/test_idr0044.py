"""The idr0044 definitions, run against the IDR's layout on loopback.

The image's address is overridden as a user does it: a folder below `defs/` with a copy of the YAML, where other lines
stand in place of `url`. The copy has the real one's window, segmentation and assets, and outputs of its own.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import numpy as np
import PIL.Image
import pytest
import scipy.ndimage

from idr_assets.imaging.planes import Block
from idr_assets_tests.idr_stores import IDR_PATHS, nuclei_plane, write_idr_store
from idr_assets_tests.image_project import ImageProject
from idr_assets_tests.store_server import StoreServer

REAL = Path(__file__).parents[1] / "idr_assets/defs/idr0044/defs.yaml"
WINDOW = Block(range(261, 271), (0,), range(489, 499))
KEYS = {f"{t}|{z}" for t in WINDOW.t for z in WINDOW.z}


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StoreServer]:
    """Serve a folder for the sources."""
    (tmp_path / "sources").mkdir()
    with StoreServer(tmp_path / "sources", latency=0.01) as server:
        monkeypatch.delenv("IDR_ASSETS_DATA", raising=False)
        yield server


def project_at(root: Path, address: str) -> ImageProject:
    """Copy the real YAML into a project, with another address."""
    project = ImageProject(root, "idr0044")
    project.write()
    text, replaced = re.subn(r"url: .*", lambda _: address, REAL.read_text())
    assert replaced == 1
    project.yaml.write_text(text)
    return project


def run(project: ImageProject, instance: dg.DagsterInstance, *assets: str) -> dg.ExecuteInProcessResult:
    """Run the job, or what it has of some assets."""
    selection = [project.key(asset) for asset in assets] or None
    job = project.load().resolve_job_def("segment_idr0044")
    return job.execute_in_process(instance=instance, asset_selection=selection)


def check_labels(project: ImageProject, instance: dg.DagsterInstance) -> None:
    plane_labels = project.key("plane_labels")
    assert instance.get_materialized_partitions(plane_labels) == KEYS
    value = project.load().load_asset_value(plane_labels, instance=instance, partition_key="270|489")
    smoothed = scipy.ndimage.gaussian_filter(nuclei_plane(270, 0, 489), 1)
    np.testing.assert_array_equal(value, scipy.ndimage.label(smoothed > 0.33 * smoothed.max())[0])


def test_another_url_runs_everything(server: StoreServer, tmp_path: Path) -> None:
    write_idr_store(server.root, version="0.4", t=WINDOW.t, c=WINDOW.c, z=WINDOW.z)
    project = project_at(tmp_path / "project", f"url: {server.url}/{IDR_PATHS['0.4']}")
    with dg.DagsterInstance.ephemeral() as instance:
        assert run(project, instance).success
        check_labels(project, instance)
    with PIL.Image.open(project.root / "data/idr0044/montage.png") as montage:
        assert min(montage.size) > 10 * 128
    assert (project.root / "data/idr0044/planes.html").stat().st_size > 100_000


def test_the_id_and_an_endpoint_name_the_image(server: StoreServer, tmp_path: Path) -> None:
    write_idr_store(server.root, version="0.1", t=WINDOW.t, c=WINDOW.c, z=WINDOW.z)
    endpoint = f"{server.url}/idr/zarr/v0.1/{{image_id}}.zarr"
    project = project_at(tmp_path / "project", f"image_id: 4007801\n  endpoint: '{endpoint}'")
    with dg.DagsterInstance.ephemeral() as instance:
        assert run(project, instance, "source_image", "plane_labels").success
        check_labels(project, instance)


def test_a_variable_names_the_place(server: StoreServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_idr_store(server.root, version="0.4", t=[266], c=[0], z=[494])
    template = f"url: \"{{{{ env('MIRROR', 'https://mirror.example') }}}}/{IDR_PATHS['0.4']}\""
    project = project_at(tmp_path / "project", template)
    monkeypatch.setenv("MIRROR", server.url)
    with dg.DagsterInstance.ephemeral() as instance:
        run(project, instance, "source_image")
        (event,) = instance.fetch_materializations(project.key("source_image"), limit=1).records
    assert event.asset_materialization
    assert event.asset_materialization.metadata["url"].value == f"{server.url}/{IDR_PATHS['0.4']}"
