"""A small image, segmented once for all tests that only look at the outcome, and one that nobody touched."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import numpy as np
import pytest

from idr_assets_tests.support.small_image import Segmented, write_project

SETTINGS = {"telemetry": {"enabled": False}}


@pytest.fixture(autouse=True)
def _default_data_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("IDR_ASSETS_DATA", raising=False)


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Segmented]:
    """Give a project whose image is there and of which nothing was run."""
    with dg.DagsterInstance.ephemeral(settings=SETTINGS) as instance:
        yield Segmented(write_project(tmp_path), instance)


@pytest.fixture(scope="session")
def segmented(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Segmented]:
    """Give a project after its jobs."""
    with pytest.MonkeyPatch.context() as patch, dg.DagsterInstance.ephemeral(settings=SETTINGS) as instance:
        patch.delenv("IDR_ASSETS_DATA", raising=False)
        project = write_project(tmp_path_factory.mktemp("segmented"), links="{IDR: https://127.0.0.1/image-1}")
        segmented = Segmented(project, instance)
        assert segmented.run_jobs()
        yield segmented


@pytest.fixture
def moved(segmented: Segmented, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Segmented]:
    """Give another instance, and a copy of the data that a run stored."""
    shutil.copytree(segmented.project.root / "data", tmp_path / "data")
    monkeypatch.setenv("IDR_ASSETS_DATA", str(tmp_path / "data"))
    with dg.DagsterInstance.ephemeral(settings=SETTINGS) as instance:
        yield Segmented(segmented.project, instance)


@pytest.fixture(scope="session")
def one_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Segmented]:
    """Give a project of four large planes of noise, of which one run segmented one."""
    noise = np.random.default_rng(0).integers(0, 2**16, (2, 1, 2, 512, 512), np.uint16)
    fields = {"shape": str(list(noise.shape)), "channels": "[0]", "window": "{t: all, z: all}"}
    with pytest.MonkeyPatch.context() as patch, dg.DagsterInstance.ephemeral(settings=SETTINGS) as instance:
        patch.delenv("IDR_ASSETS_DATA", raising=False)
        segmented = Segmented(write_project(tmp_path_factory.mktemp("one_plane"), noise, **fields), instance)
        assert segmented.run("plane_labels", "1|0") == ""
        yield segmented
