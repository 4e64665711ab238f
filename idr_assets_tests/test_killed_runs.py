"""Runs that are killed at any moment, and two at once: the output comes to be the same bytes."""

from collections.abc import Callable
from pathlib import Path
from shutil import rmtree
from subprocess import Popen
from time import sleep

import dagster as dg
import pytest

from idr_assets_tests.dagster_home import DagsterHome, dagster_home
from idr_assets_tests.idr_stores import write_image
from idr_assets_tests.image_project import ImageProject
from idr_assets_tests.orchestration.small_image import FIELDS, PIXELS, RANGE, Segmented

pytestmark = pytest.mark.timeout(300)

SLOW = """
from time import sleep
import scipy.ndimage
from idr_assets.imaging.segmentation import per_plane

@per_plane
def slow(plane):
    sleep(0.02)
    return scipy.ndimage.label(plane > 300)[0]
"""

RUN = """
import sys
from pathlib import Path
import dagster as dg

sys.path.insert(0, {root!r})
job = dg.load_from_defs_folder(path_within_project=Path({yaml!r})).resolve_implicit_global_asset_job_def()
labels = [dg.AssetKey(["image", "plane_labels"])]
job.execute_in_process(instance=dg.DagsterInstance.get(), asset_selection=labels, tags=dict(zip({names}, sys.argv[1:])))
"""
"""What `dagster asset materialize` does, without the seconds that the command takes to start."""

PARTITIONS = ("0|00", "2|11")
HALVES = (("0|00", "2|05"), ("0|06", "2|11"))


def prepare(home: DagsterHome) -> ImageProject:
    """Write a project of 72 planes in a home, and the command that segments all."""
    write_image(home.data / "source.zarr", PIXELS, version="0.4")
    project = ImageProject(home.path / "embryo")
    project.write(**FIELDS | {"window": "{t: all, z: all}", "segmentation": "{function: slow.slow}"})
    (home.path / "python/slow.py").write_text(SLOW)
    run = home.path / "run.py"
    run.write_text(RUN.format(root=str(project.root), yaml=str(project.yaml), names=RANGE))
    return project


def files(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def kill_when(process: Popen[bytes], condition: Callable[[], bool]) -> None:
    while not condition():
        assert process.poll() is None
        sleep(0.001)
    process.kill()
    assert process.wait() == -9


def test_runs_killed_at_any_moment_or_at_once_end_in_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with dagster_home(tmp_path) as home, dg.DagsterInstance.ephemeral() as instance:
        monkeypatch.setenv("IDR_ASSETS_DATA", str(home.data))
        monkeypatch.syspath_prepend(home.path / "python")
        assert Segmented(prepare(home), instance).run("plane_labels", *PARTITIONS) == ""
        run, output = f"python {home.path}/run.py", home.data / "image.ome.zarr"
        command = f"{run} '{PARTITIONS[0]}' '{PARTITIONS[1]}'"
        undisturbed = files(output)
        rmtree(output)
        labels = output / "labels/segmentation/0/c"
        moments: list[Callable[[], bool]] = [
            (output / "labels/zarr.json").exists,
            labels.exists,
            lambda: len(list(labels.glob("*/*/*/0/0"))) >= 40,
        ]
        for moment in moments:
            kill_when(home.start(command), moment)
            assert files(output).keys() != undisturbed.keys()
        code, printed = home.run(command)
        assert code == 0, printed
        assert files(output) == undisturbed

        rmtree(output)
        at_once = [home.start(f"{run} '{first}' '{last}'") for first, last in HALVES]
        assert [process.wait(120) for process in at_once] == [0, 0], home.output.read_text()
        assert files(output) == undisturbed
        assert home.processes == []
