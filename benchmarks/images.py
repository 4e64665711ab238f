"""How what Dagster does grows with the number of images.

`python -m benchmarks.images docs` measures lists of 1, 50, 500 and 1,000 images, and as many with a YAML each, and
writes docs/explanation/many_images.md. All images are one small image on this disk: what is measured is Dagster's and
ours, not pixels.
"""

import json
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import perf_counter, sleep, time

import psutil

from benchmarks.costs import LAUNCHED, measured_home
from benchmarks.machine import machine, today
from benchmarks.report import pair, table
from idr_assets_tests.support.dagster_home import DagsterHome
from idr_assets_tests.support.idr_stores import write_image
from idr_assets_tests.support.image_project import ImageProject
from idr_assets_tests.support.small_image import PIXELS
from idr_assets_tests.support.web_ui import ask, serving

YAML = """type: idr_assets.SegmentedImages
attributes:
  level: "0"
  shape: {shape}
  window: {{t: [1, 2], z: [9, 10]}}
  images: images.csv
  automation: {{schedule: true, cron: "* * * * *", watch: true, watch_seconds: 60, refresh: true}}
"""

COMMANDS = {
    "load the definitions": f"{sys.executable} -c 'import many.definitions'",
    "`dg check defs`": "dg check defs",
    "`dg launch` of one plane": "dg launch --assets image0/plane_labels --partition '1|09'",
}

EACH = "`dg check defs`, a YAML for each image"

FIRST_PAGE = """{
  workspaceOrError { ... on Workspace { locationEntries { name locationOrLoadError { __typename
    ... on RepositoryLocation { repositories { assetGroups { groupName } jobs { name } sensors { name } } } } } } }
  assetNodes { id assetKey { path } groupName }
}"""
"""About what the UI's first page asks."""

WATCHED = 100
"""Seconds in which the daemon's processor time is measured, with all sensors and the schedule on."""

TEXT = """# Many images

`python -m benchmarks.images docs` measures this and writes this page. All images are one small image on this disk,
because Dagster's share is measured, not that of pixels. The first page is what the UI asks for when it opens. The
daemon runs the schedule and both sensors of the list; its share is that of one processor. The last row is of images
that have a YAML each; all other rows are of a list.

{machine}

Seconds by the clock depend on what else the machine does; those of the processor hardly do.

{costs}

All of it grows with the number of images, and nothing with its square. All images of a project share one resource,
because Dagster describes each job with every resource. Images of a list share one schedule, two sensors, and
Dagster's own job of all assets, too. An image with a YAML of its own has two jobs, a schedule and two sensors. Its
jobs are resolved among its own assets, where Dagster would look at all assets of the project for each job. Use a list
for more than about a hundred images.

Sensors read the metadata of each image every `watch_seconds`, here 60. With hundreds of images on one machine, choose
an hour: the daemon needs that share of a processor each time.

A run loads the definitions of all images, because Dagster does not say which it needs before it has loaded them.
"""


def write_project(root: Path, count: int, *, each: bool = False) -> None:
    """Write a project with a list of so many images, or with a YAML for each."""
    write_image(root / "data/source.zarr", PIXELS, version="0.4")
    project = ImageProject(root, "screen")
    project.write()
    project.write_definitions()
    with (root / "pyproject.toml").open("a") as toml:
        toml.write("code_location_target_module = 'many.definitions'\n")
    if each:
        for number in range(count):
            ImageProject(root, f"image{number}").write(window="{t: [1, 2], z: [9, 10]}", shape=str(list(PIXELS.shape)))
        project.yaml.unlink()
        project.yaml.parent.rmdir()
        return
    project.yaml.write_text(YAML.format(shape=list(PIXELS.shape)))
    lines = ["name,url", *(f"image{number},source.zarr" for number in range(count))]
    project.yaml.with_name("images.csv").write_text("\n".join(lines))


def measure(count: int) -> dict[str, str]:
    """Measure each command, then the UI and its daemon, and last a command of images with a YAML each."""
    with _home(count) as home:
        found = {name: _cost(home, command) for name, command in COMMANDS.items()} | _ui(home)
    with _home(count, each=True) as home:
        return found | {EACH: _cost(home, "dg check defs")}


@contextmanager
def _home(count: int, *, each: bool = False) -> Iterator[DagsterHome]:
    with measured_home() as home:
        home.project = home.path / "many"
        home.data = home.project / "data"
        write_project(home.project, count, each=each)
        yield home


def _cost(home: DagsterHome, command: str) -> str:
    code, output = home.run(f"{shlex.join(LAUNCHED)} {command}")
    if code:
        raise RuntimeError(output)
    told = json.loads(output.splitlines()[-1])
    return f"{told['whole']:.1f} s ({told['cpu']:.1f} s)"


def _ui(home: DagsterHome) -> dict[str, str]:
    started, found = perf_counter(), dict[str, str]()
    # Runs that the schedule requested live on when the UI ends; the end of the home ends them.
    with suppress(AssertionError), serving(home, "idr-assets ui -m many.definitions", patience=600) as ui:
        ready, spent = perf_counter() - started, sum(map(_seconds, home.processes))
        ask(ui, FIRST_PAGE)
        shown = perf_counter() - started
        memory = max(it.memory_info().rss for it in home.processes if _is(it, "code-server") or _is(it, "api"))
        (daemon,) = (process for process in home.processes if _is(process, "dagster-daemon"))
        before, since = _seconds(daemon), time()
        sleep(WATCHED)
        share = (_seconds(daemon) - before) / (time() - since)
        found |= {
            "UI ready": f"{ready:.1f} s ({spent:.1f} s)",
            "first page": f"{shown - ready:.1f} s",
            "memory of the code server": f"{memory / 1e6:.0f} MB",
            "daemon, all sensors on": f"{share:.0%} of a processor",
        }
    return found


def _is(process: psutil.Process, word: str) -> bool:
    return any(word in part for part in process.cmdline())


def _seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


def main(docs: Path, counts: list[int]) -> None:
    """Measure lists of so many images, and write the table."""
    before = machine() | today()
    found = {}
    for count in counts:
        found[count] = measure(count)
        sys.stdout.write(f"{count}: {found[count]}\n")
        sys.stdout.flush()
    rows = [[name, *(found[count][name] for count in counts)] for name in found[counts[0]]]
    named = ("1 image" if count == 1 else f"{count:,} images" for count in counts)
    costs = table(["seconds (processor seconds)", *named], rows)
    (docs / "explanation/many_images.md").write_text(TEXT.format(machine=pair(before), costs=costs))


if __name__ == "__main__":
    main(Path(sys.argv[1]), [int(word) for word in sys.argv[2:]] or [1, 50, 500, 1000])
