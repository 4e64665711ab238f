"""The bench at tiny sizes: everything that it measures is really done."""

import json
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dagster as dg
import numpy as np
import pytest
import zarr

from benchmarks import publishing, stages, ways
from benchmarks.costs import cost_of_run
from benchmarks.demo_runs import cost_of_command
from benchmarks.simulated_image import LEVEL, PATH, SimulatedImage, stored_image
from benchmarks.stages import STAGES
from benchmarks.turns import Way, ready
from benchmarks.windows import window
from idr_assets.imaging.planes import Plane
from idr_assets.imaging.reading.level import open_level
from idr_assets_tests.support.dagster_home import ROOT, dagster_home, wait_until
from idr_assets_tests.support.web_ui import listens

SHAPE = (2, 1, 4, 128, 135)


@pytest.mark.parametrize("way", ways.WAYS)
def test_each_way_segments_the_simulated_image(
    way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(ways, "UNCOUNTED", Plane(1, 0, 0).block)
    with SimulatedImage(tmp_path, 0, SHAPE) as server:
        monkeypatch.setattr(sys, "argv", ["ways", way, f"{server.url}/{PATH}", "4", "--block", "2", "--workers", "1"])
        monkeypatch.setattr(sys, "stdin", ["0"])
        ways.main()
    first, told = capsys.readouterr().out.splitlines()
    assert first == "ready"
    assert min(json.loads(told).values()) > 0


def test_ways_take_turns_on_other_planes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: Counter[int] = Counter()
    made = SimulatedImage.chunk

    def counted(server: SimulatedImage, t: int, c: int, z: int) -> bytes:
        asked[t] += 1
        return made(server, t, c, z)

    monkeypatch.setattr(SimulatedImage, "chunk", counted)
    with SimulatedImage(tmp_path, 0) as server:
        url = f"{server.url}/{PATH}"
        several = {"threads": Way(url, "ours", 2), "processes": Way(url, "ours", 2, form="processes", workers=1)}
        with ready(several):
            costs = [several[name]() for name in ("threads", "processes", "threads")]
    assert {cost.planes for cost in costs} == {2}
    assert min(cost.peak for cost in costs) > 50e6
    assert (asked[0], asked[1]) == (4, 2)


def test_a_way_that_ends_is_named(tmp_path: Path) -> None:
    way = Way(f"{tmp_path}/nothing.zarr", "loop", 1)
    with pytest.raises(RuntimeError, match=r"ways loop .*nothing\.zarr 1 ended with 1"), ready({"loop": way}):
        pass


def test_a_way_that_ends_between_its_turns_is_named() -> None:
    with stored_image(2, 2) as url:
        way = Way(url, "loop", 2)
        with ready({"loop": way}):
            assert way().planes == 2
            way.process.kill()
            way.process.wait()
            with pytest.raises(RuntimeError, match=r"ways loop .*2 ended with -9"):
                way()


def test_every_turn_finds_planes_on_disk() -> None:
    with stored_image(3, 2) as url:
        level = open_level(url, LEVEL)
        for block in (window(3, 0), window(3, 1), replace(ways.UNCOUNTED, z=range(3))):
            assert level.read(block).any(axis=(-2, -1)).all()


PARENT = """
import sys
from subprocess import PIPE, Popen
from benchmarks.memory import largest
with Popen([sys.executable, "-c", "b = b'1' * 2**28; print(flush=True); input()"], stdin=PIPE, stdout=PIPE) as child:
    child.stdout.readline()
    print(largest())
    child.kill()
"""


def test_the_peak_is_that_of_the_largest_process() -> None:
    told = subprocess.run([sys.executable, "-c", PARENT], cwd=ROOT, check=True, stdout=subprocess.PIPE)  # noqa: S603
    assert 2**28 < int(told.stdout) < 2**29


def test_planes_of_the_simulated_image_differ_and_stay(tmp_path: Path) -> None:
    with SimulatedImage(tmp_path, 0, SHAPE) as server:
        level = open_level(f"{server.url}/{PATH}", LEVEL)
        first, again, other = (level.read(Plane(t, 0, 0).block) for t in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert (first != other).mean() > 0.5


HOLD = """
from benchmarks.simulated_image import simulated_image
with simulated_image(0) as url:
    print(url, flush=True)
    input()
"""


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGKILL])
def test_the_server_ends_with_whoever_started_it(ending: signal.Signals) -> None:
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen([sys.executable, "-c", HOLD], cwd=ROOT, **pipes) as bench:  # noqa: S603
        assert bench.stdout
        port = urlsplit(bench.stdout.readline().decode().strip()).port
        assert port
        assert listens(port)
        bench.send_signal(ending)
        assert bench.wait(30) != 0
        wait_until(lambda: not listens(port), 30)


def test_a_run_of_dagster_tells_its_cost(tmp_path: Path) -> None:
    with SimulatedImage(tmp_path, 0) as server:
        cost = cost_of_run(f"{server.url}/{PATH}", 2)
    assert cost.planes == 2
    assert cost.seconds > cost.segmenting > 0
    assert cost.peak > 2**20


@pytest.mark.parametrize("way", STAGES)
def test_every_stage_of_a_way_is_timed(
    way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with SimulatedImage(tmp_path, 0) as server:
        monkeypatch.setattr(sys, "argv", ["stages", way, f"{server.url}/{PATH}", "8"])
        stages.main()
    told = json.loads(capsys.readouterr().out)
    assert set(told) == {*STAGES[way], "all else"}
    assert min(told.values()) > 0


def test_bodies_of_the_demo_are_taken_out(tmp_path: Path) -> None:
    with dagster_home(tmp_path) as home:
        assert cost_of_command(home, "segment_demo", "empty bodies").planes == 100
        assert not home.data.exists()
        instance = home.instance
        (run,) = instance.get_runs()
        done = instance.all_logs(run.run_id, dg.DagsterEventType.ASSET_MATERIALIZATION)
    assert (run.status, len(done)) == (dg.DagsterRunStatus.SUCCESS, 104)


@pytest.mark.parametrize("way", publishing.WAYS)
def test_a_timepoint_is_published_and_copied(way: str, tmp_path: Path) -> None:
    cost = publishing.measure(tmp_path, way, publishing.write_output(tmp_path, (30, 40), 2))
    assert (cost.planes, cost.cpu > 0) == (2, True)
    copies = {"published": "published.ome.zarr", "copied by Zarr": "copied.zarr"}
    whole, copied = (zarr.open_group(tmp_path / name, mode="r") for name in ("image.ome.zarr", copies[way]))
    for path in ("0", "labels/segmentation/0"):
        np.testing.assert_array_equal(copied[path], whole[path])
