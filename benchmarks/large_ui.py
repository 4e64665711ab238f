"""How long the UI takes to show `plane_labels` when all 525,616 planes are materialized, in Chromium.

`python -m benchmarks.large_ui docs` writes docs/explanation/large_ui.md, with a picture of each page.
A real run segments four planes; the events of the second are repeated for all others, since to run them takes most of
an hour. It has no picture: of a large run, three planes have one. Another run, of the first plane, comes last, as after
the many runs of an image.
"""

import re
import shutil
import sqlite3
import sys
from itertools import product
from pathlib import Path
from time import perf_counter

from playwright.sync_api import Page, Request, expect

from benchmarks.costs import measured_home
from benchmarks.machine import machine, today
from benchmarks.report import pair, table
from benchmarks.simulated_image import LEVEL, simulated_image
from idr_assets.imaging.planes import index_key
from idr_assets_tests.support.dagster_home import DagsterHome
from idr_assets_tests.support.idr_stores import IDR_SHAPE
from idr_assets_tests.support.image_project import ImageProject
from idr_assets_tests.support.web_ui import browsing, serving

PLANES = IDR_SHAPE[0] * IDR_SHAPE[2]
SEGMENTED = [f"000|{z:03}" for z in range(4)]
REPEATED = SEGMENTED[1]

PAGES: dict[str, str | re.Pattern[str]] = {
    "overview": re.compile(r"^\d{3}\|\d{3}$"),
    "partitions": f"Materialized ({PLANES})",
}
"""Tabs of the asset's page, and what comes last: the key of the latest materialization, how many there are."""

EVENTS = """
INSERT INTO event_logs (id, run_id, event, dagster_event_type, timestamp, step_key, asset_key, partition)
SELECT :last + number, run_id, replace(replace(replace(event,
  '"000|001"', '"' || t || '|' || z || '"'),
  '"dagster/partition/t": "000"', '"dagster/partition/t": "' || t || '"'),
  '"dagster/partition/z": "001"', '"dagster/partition/z": "' || z || '"'),
  dagster_event_type, timestamp, step_key, asset_key, t || '|' || z
FROM event_logs, planes WHERE id = :id
"""

TAGS = """
INSERT INTO asset_event_tags (event_id, asset_key, key, value, event_timestamp)
SELECT :last + number, asset_key, key,
  CASE key WHEN 'dagster/partition/t' THEN t WHEN 'dagster/partition/z' THEN z ELSE value END, event_timestamp
FROM asset_event_tags, planes WHERE event_id = :id
"""


def segment(home: DagsterHome, first: str, last: str) -> None:
    """Write a project of the whole image, and segment a range of its planes."""
    project = ImageProject(home.path / "simulated")
    home.project = project.root
    with simulated_image(0) as url:
        project.write(url=url, level=f'"{LEVEL}"', shape=str(list(IDR_SHAPE)), window="{t: all, z: all}")
        project.write_definitions()
        planes = f"--select image/plane_labels --partition-range '{first}...{last}'"
        code, output = home.run(f"dagster asset materialize -m simulated.definitions {planes}")
    if code:
        raise RuntimeError(output)


def repeat_for_all(index: Path) -> None:
    """Repeat what the index of the event log holds of a plane for all that were not segmented."""
    keys = ([index_key(at, length) for at in range(length)] for length in IDR_SHAPE[::2][:2])
    with sqlite3.connect(index) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("CREATE TEMPORARY TABLE planes (number INTEGER PRIMARY KEY, t TEXT, z TEXT)")
        others = list(enumerate(product(*keys)))[len(SEGMENTED) :]
        connection.executemany("INSERT INTO planes VALUES (?, ?, ?)", ((number, t, z) for number, (t, z) in others))
        events = connection.execute("SELECT id FROM event_logs WHERE partition = ? ORDER BY id", [REPEATED])
        for (id_,) in events.fetchall():
            (last,) = connection.execute("SELECT max(id) FROM event_logs").fetchone()
            for statement in (EVENTS, TAGS):
                connection.execute(statement, {"id": id_, "last": last})
    connection.close()


TEXT = """# The UI with a large image

`python -m benchmarks.large_ui docs` measures this in Chromium and writes this page. All {planes:,} planes
of image 4007801 are materialized: a run made four of them, from pixels that stand in for the image's. A script repeated
its events for the others, and another run made the first plane again. A page counts as shown when it shows all planes.
The first page comes from a server that was just started.

{machine}

{seconds}

![The asset's page, with the last plane that was made](../pictures/large_overview.png)

![All partitions of the asset](../pictures/large_partitions.png)
"""


def told(request: Request) -> None:
    """Tell what the page asks for that takes longer than half a second."""
    asked, milliseconds = request.post_data_json if request.method == "POST" else None, request.timing["responseEnd"]
    if asked and milliseconds > 500:
        sys.stdout.write(f"  {asked['operationName']}: {milliseconds / 1000:.2f} s\n")


def opened(page: Page, tab: str) -> float:
    """Open a tab of the asset's page; give the seconds until it tells of all planes."""
    started = perf_counter()
    page.goto(f"/assets/image/plane_labels?view={tab}")
    expect(page.get_by_text(PAGES[tab]).first).to_be_visible()
    return perf_counter() - started


def main(docs: Path, chromium: str) -> None:
    """Measure each page twice, and write what came of it."""
    (docs / "pictures").mkdir(parents=True, exist_ok=True)
    before = machine() | today()
    rows: list[list[str]] = []
    with measured_home() as home:
        started = perf_counter()
        segment(home, SEGMENTED[0], SEGMENTED[-1])
        repeat_for_all(home.path / "history/runs/index.db")
        segment(home, SEGMENTED[0], SEGMENTED[0])
        sys.stdout.write(f"filled in {perf_counter() - started:.0f} s\n")
        with serving(home, "idr-assets ui -m simulated.definitions") as ui, browsing(ui, chromium) as page:
            page.on("requestfinished", told)
            for turn, tab in product(("first", "second"), PAGES):
                rows.append([f"{tab}, {turn} time", f"{opened(page, tab):.2f}"])
                sys.stdout.write(f"{': '.join(rows[-1])} s\n")
                sys.stdout.flush()
                page.screenshot(path=docs / f"pictures/large_{tab}.png")
    text = TEXT.format(planes=PLANES, machine=pair(before), seconds=table(["page", "seconds"], rows))
    (docs / "explanation/large_ui.md").write_text(text)


if __name__ == "__main__":
    main(Path(sys.argv[1]), shutil.which("chromium") or "chromium")
