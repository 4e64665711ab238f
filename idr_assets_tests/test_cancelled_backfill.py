"""A backfill that is cancelled in the middle: its runs end, nothing is left, and what is missing is exactly the rest.

Planes are held while they are segmented until the test lets them go, those of the run that comes first excepted.
"""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import numpy as np
import pytest
from playwright.sync_api import Page

from idr_assets_tests.support.dagster_home import DagsterHome, dagster_home, wait_until
from idr_assets_tests.support.small_image import PIXELS, write_project
from idr_assets_tests.support.web_ui import browsing, cancel_backfill, launch_window, serving

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

HELD = """
import os
from contextlib import suppress
from pathlib import Path
from time import sleep
from idr_assets.imaging.segmentation.functions import per_plane

@per_plane
def held(plane, *, gate):
    gate, mine = Path(gate), str(os.getpid())
    with suppress(FileExistsError):
        (gate / "first").symlink_to(mine)
    while os.readlink(gate / "first") != mine and not (gate / "open").exists():
        (gate / mine).touch()
        sleep(0.1)
    return (plane > 600).astype(int)
"""

TIMEPOINTS = 4
SLICES = ("07", "08", "09", "10")
ROWS = [{f"{t}|{z}" for z in SLICES} for t in range(TIMEPOINTS)]
WINDOW = set().union(*ROWS)


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    """Give the folder that names the processes which hold planes, and the `first`, until it holds a file `open`."""
    (tmp_path / "gate").mkdir()
    return tmp_path / "gate"


@pytest.fixture
def home(tmp_path: Path, gate: Path) -> Iterator[DagsterHome]:
    pixels = np.resize(PIXELS, (TIMEPOINTS, *PIXELS.shape[1:]))
    project = write_project(
        tmp_path / "project",
        pixels,
        shape=str(list(pixels.shape)),
        window="{t: all, z: [7, 10]}",
        segmentation=f"{{function: project.own.held, parameters: {{gate: {gate}}}}}",
    )
    (project.package / "own.py").write_text(HELD)
    project.write_definitions()
    (tmp_path / "instance").mkdir()
    with dagster_home(tmp_path / "instance", project.root) as home:
        (project.root / "data").rename(home.data)
        yield home


def backfills(home: DagsterHome) -> dict[str, str]:
    """Give the states of all backfills, the last first."""
    return {found.backfill_id: found.status.value for found in home.instance.get_backfills()}


def runs(home: DagsterHome, backfill: str) -> list[str]:
    """Give the states of a backfill's runs."""
    found = home.instance.get_runs(dg.RunsFilter(tags={"dagster/backfill": backfill}))
    return sorted(run.status.value for run in found)


def done(home: DagsterHome) -> list[str | None]:
    """Give the partition of each materialization of labels."""
    records = home.instance.fetch_materializations(dg.AssetKey(["image", "plane_labels"]), limit=100).records
    return [record.partition_key for record in records]


def is_cancelled(page: Page, home: DagsterHome, backfill: str) -> bool:
    """Press the buttons, and again where that was lost: Dagster's daemon may write back what it read before."""
    if backfills(home)[backfill] == "REQUESTED":
        cancel_backfill(page, backfill)
    return backfills(home)[backfill] == "CANCELED"


def test_a_cancelled_backfill_leaves_nothing_and_its_rest_is_made_later(
    home: DagsterHome, gate: Path, chromium: str
) -> None:
    with serving(home, "idr-assets ui -m project.definitions") as ui, browsing(ui, chromium) as page:
        launch_window(page, "image", len(WINDOW), confirm=True)
        wait_until(lambda: len([held for held in gate.iterdir() if held.name != "first"]) == 2)
        (cancelled,) = backfills(home)
        wait_until(lambda: runs(home, cancelled) == ["QUEUED", "STARTED", "STARTED", "SUCCESS"])
        assert home.run_processes

        wait_until(lambda: is_cancelled(page, home, cancelled))
        assert runs(home, cancelled) == ["CANCELED", "CANCELED", "CANCELED", "SUCCESS"]
        wait_until(lambda: not home.run_processes, 30)
        assert set(done(home)) in ROWS

        (gate / "open").touch()
        launch_window(page, "image", len(WINDOW), only=len(WINDOW) - len(SLICES))
        wait_until(lambda: len(done(home)) == len(WINDOW))
        assert set(done(home)) == WINDOW
        rest, _ = backfills(home)
        wait_until(lambda: runs(home, rest) == ["SUCCESS"] * 3)
