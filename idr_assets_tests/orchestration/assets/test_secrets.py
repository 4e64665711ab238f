"""Secrets of an image's store: they are used, and stand in nothing that runs leave behind or say."""

from collections.abc import Iterator
from itertools import repeat
from pathlib import Path

import pytest

from idr_assets_tests.support import store_faults as faults
from idr_assets_tests.support.dagster_home import project_instance
from idr_assets_tests.support.small_image import FIELDS, PARTITIONS, Segmented, write_project
from idr_assets_tests.support.store_server import StoreServer

SECRETS = ("us3r", "s3cret", "t0ken")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[StoreServer]:
    with StoreServer(tmp_path / "project/data", credentials=("us3r", "s3cret")) as server:
        yield server


@pytest.fixture
def segmented(tmp_path: Path, server: StoreServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Segmented]:
    """Give a project whose store wants user and password, and options that hold a token."""
    monkeypatch.setenv("STORE_TOKEN", "t0ken")
    project = write_project(tmp_path / "project")
    url = server.url.replace("://", "://us3r:s3cret@")
    options = "{client_kwargs: {headers: {X-Token: '{{ env.STORE_TOKEN }}'}}}"
    project.write(**FIELDS, url=f"{url}/source.zarr", storage_options=options)
    with project_instance(tmp_path) as instance:
        yield Segmented(project, instance)


def left_in(folder: Path) -> list[tuple[str, str]]:
    """List the files that hold secrets; that of the image may."""
    files = [file for file in folder.rglob("*") if file.is_file() and file.parent.name != "image"]
    return [(secret, str(file)) for file in files for secret in SECRETS if secret.encode() in file.read_bytes()]


def test_runs_leave_and_say_no_secret(
    segmented: Segmented, server: StoreServer, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    chunk = "/source.zarr/0/{}/0/9/0/0"
    server.faults = {chunk.format(1): [faults.status(503)], chunk.format(2): repeat(faults.status(403))}
    failure = segmented.run("plane_labels", PARTITIONS[0], PARTITIONS[-1])
    assert f"http://***@{server.url.removeprefix('http://')}{chunk.format(2)}" in failure
    server.faults = {}
    assert segmented.run_jobs()
    assert segmented.materialized() == set(PARTITIONS)
    assert left_in(tmp_path) == []
    said = repr([spec.metadata for spec in segmented.definitions.resolve_all_asset_specs()]) + failure
    assert [secret for secret in SECRETS if secret in said + "".join(capfd.readouterr())] == []
