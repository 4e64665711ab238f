"""The real idr0044 definitions, run against the IDR's layouts on loopback: a variable overrides the image's address."""

import re
import runpy
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import dagster as dg
import numpy as np
import PIL.Image
import pytest
import scipy.ndimage

from idr_assets.imaging.planes import Block
from idr_assets_tests.support.idr_stores import IDR_PATHS, nuclei_plane, write_idr_store
from idr_assets_tests.support.image_project import ImageProject
from idr_assets_tests.support.store_server import StoreServer

PACKAGE = Path(__file__).parents[1] / "idr_assets"
WINDOW = Block(range(261, 271), (0,), range(489, 499))
KEYS = {f"{t}|{z}" for t in WINDOW.t for z in WINDOW.z}
LABELS = dg.AssetKey(["idr0044", "plane_labels"])
SOURCE = dg.AssetKey(["idr0044", "source_image"])


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StoreServer]:
    """Serve a folder for the sources; outputs go to another one."""
    (tmp_path / "sources").mkdir()
    with StoreServer(tmp_path / "sources", latency=0.01) as server:
        monkeypatch.setenv("IDR_ASSETS_DATA", str(tmp_path / "data"))
        yield server


def real_definitions() -> dg.Definitions:
    """Load the project's definitions as a new process does."""
    definitions: dg.Definitions = runpy.run_path(str(PACKAGE / "definitions.py"))["defs"]()
    return definitions


def run(definitions: dg.Definitions, instance: dg.DagsterInstance, assets: Sequence[dg.AssetKey] | None = None) -> bool:
    """Run the job, or what it has of some assets."""
    job = definitions.resolve_job_def("segment_idr0044")
    return job.execute_in_process(instance=instance, asset_selection=assets).success


@pytest.mark.parametrize(("version", "assets"), [("0.4", None), ("0.1", [SOURCE, LABELS])])
def test_the_real_definitions_run_on_another_url(
    server: StoreServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    version: Literal["0.1", "0.4"],
    assets: Sequence[dg.AssetKey] | None,
) -> None:
    write_idr_store(server.root, version=version, t=WINDOW.t, c=WINDOW.c, z=WINDOW.z)
    monkeypatch.setenv("IDR0044_URL", f"{server.url}/{IDR_PATHS[version]}")
    definitions = real_definitions()
    with dg.DagsterInstance.ephemeral() as instance:
        assert run(definitions, instance, assets)
        assert instance.get_materialized_partitions(LABELS) == KEYS
        value = definitions.load_asset_value(LABELS, instance=instance, partition_key="270|489")
    smoothed = scipy.ndimage.gaussian_filter(nuclei_plane(270, 0, 489), 1)
    np.testing.assert_array_equal(value, scipy.ndimage.label(smoothed > 0.33 * smoothed.max())[0])
    if assets is None:
        with PIL.Image.open(tmp_path / "data/idr0044/montage.png") as montage:
            assert min(montage.size) > 10 * 128
        assert (tmp_path / "data/idr0044/planes.html").stat().st_size > 100_000


def test_without_the_variable_the_image_is_the_idrs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("IDR0044_URL", raising=False)
    image = next(it for it in (real_definitions().resources or {})["image_io"].images if it.name == "idr0044")
    assert image.url == f"https://livingobjects.ebi.ac.uk/{IDR_PATHS['0.4']}"


def test_the_id_and_an_endpoint_name_the_image(server: StoreServer, tmp_path: Path) -> None:
    write_idr_store(server.root, version="0.1", t=[266], c=[0], z=[494])
    project = ImageProject(tmp_path / "project", "idr0044")
    project.write()
    endpoint = f"image_id: 4007801\n  endpoint: '{server.url}/idr/zarr/v0.1/{{image_id}}.zarr'"
    text, replaced = re.subn(r"url: .*", lambda _: endpoint, (PACKAGE / "defs/idr0044/defs.yaml").read_text())
    assert replaced == 1
    project.yaml.write_text(text)
    with dg.DagsterInstance.ephemeral() as instance:
        assert run(project.load(), instance, [SOURCE])
        (event,) = instance.fetch_materializations(SOURCE, limit=1).records
    assert event.asset_materialization
    assert event.asset_materialization.metadata["url"].value == f"{server.url}/{IDR_PATHS['0.1']}"
