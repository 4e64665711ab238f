"""Takes the pictures of `how_to/ui.md`: the demo's runs in the real UI, in Chromium. `make screenshots` runs it.

Here belongs what the pictures show. How the UI is started and opened stands in `idr_assets_tests`.
"""

import shutil
import sys
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image
from playwright.sync_api import Page

from idr_assets_tests.support.dagster_home import DagsterHome, dagster_home
from idr_assets_tests.support.web_ui import browsing, serving

PICTURES = Path(__file__).parent / "pictures"
WIDTH = 1400  # of the window; in a narrower one the UI cuts the montage and a plane's metadata
MOST_BYTES = 150_000

PLANE_LABELS = "/assets/demo/plane_labels"
ONE_PLANE = f"{PLANE_LABELS}?view=partitions&partition=05%7C08"
PICTURE = "text=[Show Markdown]"
DIALOG = "[role=dialog]"
SCHEDULE = "a[href$='/schedules/missing_demo'] ~ div label"


@dataclass(frozen=True)
class View:
    """A page of the UI in a window that is `height` high: what is clicked in turn, and what must then be seen.

    The picture shows the whole page or, where there is `part`, the element of that selector.
    """

    path: str
    shown: str
    height: int
    clicks: tuple[str, ...] = ()
    part: str = "body"
    width: int = WIDTH


SCENES: list[tuple[str, bool, dict[str, View]]] = [
    # a command, whether all of its planes succeed, and what is to be seen of it
    (
        "dg launch --job segment_demo",
        True,
        {
            "checks": View(f"{PLANE_LABELS}?view=checks", "text=planes wrong", 600),
            "plots": View(PLANE_LABELS, "canvas", 1780, ("button:has-text('Plots')",)),
            "montage": View("/assets/demo/montage", f"{DIALOG} img", 1300, (PICTURE,), DIALOG),
        },
    ),
    (
        "dg launch --job measure_demo",
        True,
        {"lineage": View("/locations/idr_assets/asset-groups/demo/lineage", "text=100 partitions", 800, width=1500)},
    ),
    (
        "dg launch --assets demo/plane_labels --partition '05|08'",
        True,
        {
            "plane": View(ONE_PLANE, PICTURE, 1010),
            "outlines": View(ONE_PLANE, f"{DIALOG} img", 940, (PICTURE,), DIALOG),
        },
    ),
    (
        "dg launch --assets demo/plane_labels --partition-range '06|07...07|08'",
        False,
        {
            "partitions": View(f"{PLANE_LABELS}?view=partitions&partition=06", "text=Failed (1)", 615),
            "rerun": View(
                PLANE_LABELS,
                "text=Only 1 failed and missing",
                760,
                (
                    "button:has-text('Materialize')",
                    f"{DIALOG} button:has-text('All') >> nth=0",
                    f"{DIALOG} button:has-text('All') >> nth=1",
                    "text=Backfill only failed and missing",
                ),
                DIALOG,
            ),
            "automation": View("/automation", f"{SCHEDULE} input:checked", 550, (SCHEDULE,)),
        },
    ),
]


def main() -> None:
    """Run the demo in an instance of its own, and write a picture for each view."""
    chromium = shutil.which("chromium") or sys.exit("No chromium on the PATH, so no pictures: apt-get install chromium")
    with (
        TemporaryDirectory(prefix="idr_assets_") as folder,
        dagster_home(Path(folder)) as home,
        serving(home, "idr-assets ui") as ui,
        browsing(ui, chromium) as page,
    ):
        for command, succeeds, views in SCENES:
            run(home, command, succeeds=succeeds)
            for name, view in views.items():
                write(PICTURES / f"{name}.webp", taken(page, view))


def run(home: DagsterHome, command: str, *, succeeds: bool) -> None:
    """Run a command; for one that is to fail, the pixels of a plane are taken away."""
    if not succeeds:
        (home.data / "synthetic_embryo.zarr/0/6/0/7/0/0").unlink()
    code, output = home.run(command)
    if (code == 0) is not succeeds:
        sys.exit(f"{command} ended with {code}:\n{output}")


def taken(page: Page, view: View) -> bytes:
    """Take the picture of a view as PNG, once what it shows is there and at rest."""
    page.set_viewport_size({"width": view.width, "height": view.height})
    page.goto(view.path)
    for selector in view.clicks:
        page.locator(selector).first.click()
    page.locator(view.shown).first.wait_for(state="attached")
    page.mouse.move(0, 0)  # nothing is hovered over
    page.wait_for_timeout(3000)  # the graph zooms, dialogs fade in, and toasts are gone
    return page.locator(view.part).last.screenshot()


def write(path: Path, png: bytes) -> None:
    """Write a PNG as WebP, and say how large it is."""
    Image.open(BytesIO(png)).convert("RGB").save(path, quality=80, method=6)
    size = path.stat().st_size
    sys.stdout.write(f"{path.name}: {size // 1000} kB\n")
    if size > MOST_BYTES:
        sys.exit(f"{path} has {size} bytes, more than {MOST_BYTES}: show less of the page, in a lower or smaller view.")


if __name__ == "__main__":
    main()
