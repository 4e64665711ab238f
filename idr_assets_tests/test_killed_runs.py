"""Runs that are killed at any moment, and two at once: the output comes to be the same bytes."""

import signal
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path
from shutil import rmtree
from time import sleep

import dagster as dg
import pytest

from idr_assets_tests.support.dagster_home import DagsterHome, dagster_home
from idr_assets_tests.support.forked import exit_codes, fork
from idr_assets_tests.support.image_project import ImageProject
from idr_assets_tests.support.small_image import Segmented, write_project
from idr_assets_tests.support.stored_files import digests

pytestmark = pytest.mark.timeout(300)

SLOW = """
from time import sleep
import scipy.ndimage
from idr_assets.imaging.segmentation.functions import per_plane

@per_plane
def slow(plane):
    sleep(0.02)
    return scipy.ndimage.label(plane > 300)[0]
"""

PARTITIONS = ("0|00", "2|11")
HALVES = (("0|00", "2|05"), ("0|06", "2|11"))


def prepare(home: DagsterHome) -> ImageProject:
    """Write a project of 72 planes in a home."""
    function = "{function: killed_runs.own.slow}"
    project = write_project(home.path / "killed_runs", window="{t: all, z: all}", segmentation=function)
    (project.package / "own.py").write_text(SLOW)
    (project.root / "data").rename(home.data)
    return project


def segment(project: ImageProject, home: Path, *partitions: str) -> None:
    """Segment planes in this process, as a run of Dagster does."""
    with dg.DagsterInstance.from_config(str(home)) as instance:
        assert Segmented(project, instance).run("plane_labels", *partitions) == ""


def kill_when(process: BaseProcess, condition: Callable[[], bool]) -> None:
    while not condition():
        assert process.is_alive()
        sleep(0.001)
    process.kill()
    assert exit_codes(process) == [-signal.SIGKILL]


def test_runs_killed_at_any_moment_or_at_once_end_in_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with dagster_home(tmp_path) as home, dg.DagsterInstance.ephemeral() as instance:
        monkeypatch.setenv("IDR_ASSETS_DATA", str(home.data))
        project, output = prepare(home), home.data / "image.ome.zarr"

        def started(partitions: tuple[str, str]) -> BaseProcess:
            return fork(segment, project, home.path, *partitions)

        assert Segmented(project, instance).run("plane_labels", *PARTITIONS) == ""
        undisturbed = digests(output)
        rmtree(output)
        labels = output / "labels/segmentation/0/c"
        moments: list[Callable[[], bool]] = [
            (output / "labels/zarr.json").exists,
            labels.exists,
            lambda: len(list(labels.glob("*/*/*/0/0"))) >= 40,
        ]
        for moment in moments:
            kill_when(started(PARTITIONS), moment)
            assert digests(output).keys() != undisturbed.keys()
        assert exit_codes(started(PARTITIONS)) == [0]
        assert digests(output) == undisturbed

        rmtree(output)
        assert exit_codes(*map(started, HALVES)) == [0, 0]
        assert digests(output) == undisturbed
