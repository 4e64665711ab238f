"""What things cost: each is done by a process of its own, so that its memory and imports are its own.

Here belongs how costs are measured; which are compared stands in `comparisons`.
"""

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.simulated_image import LEVEL
from benchmarks.windows import window
from idr_assets.imaging.planes import Block, index_key
from idr_assets_tests.support.dagster_home import DagsterHome, dagster_home
from idr_assets_tests.support.idr_stores import IDR_SHAPE
from idr_assets_tests.support.image_project import ImageProject
from idr_assets_tests.support.postgres_server import SETTINGS

LAUNCHED = [sys.executable, "-m", "benchmarks.launched"]
STAGES = [sys.executable, "-m", "benchmarks.stages"]
EMPTY = "benchmarks.empty_asset"
PROJECT = "simulated.definitions"
PROCESSES = "type: idr_assets.DaskCluster\nattributes: {cluster: processes, workers: 2}\n"


@dataclass(frozen=True)
class Cost:
    """What so many planes cost: seconds, processor seconds, and the peak of the largest process in bytes.

    `segmenting` is the part of a run's seconds in which planes are read, segmented and written.
    """

    planes: int
    seconds: float
    cpu: float
    peak: int
    segmenting: float = 0.0

    @property
    def plane(self) -> float:
        """Seconds a plane."""
        return self.seconds / self.planes


def stages_of_way(url: str, way: str, planes: int) -> dict[str, float]:
    """Segment planes of the image at `url`, see `stages`; give the processor seconds a plane of each stage."""
    told, _ = _told([*STAGES, way, url, str(planes)])
    return {stage: seconds / len(window(planes)) for stage, seconds in told.items()}


def cost_of_plan(url: str) -> tuple[float, int]:
    """Open the image at `url` and plan every plane; give the seconds, without imports, and the peak in bytes."""
    told, launched = _told([sys.executable, "-m", "benchmarks.plan", url])
    return told["plan"], launched["peak"]


def seconds_of(program: str) -> float:
    """Give the seconds that a Python program takes from its start to its end."""
    _, launched = _told([sys.executable, "-c", f"{program}; print({{}})"])
    return float(launched["whole"])


def cost_of_run(url: str | None, planes: int, database: str | None = None) -> Cost:
    """Run `plane_labels` of the image at `url` in two processes, or the empty asset without one, by Dagster's command.

    `database` is the address of an empty one in PostgreSQL, for an instance there instead of on SQLite. The image's
    partitions are those of all its planes. The start of the command counts.
    """
    block = window(planes)
    with measured_home() as home:
        if database:
            (home.path / "dagster.yaml").write_text("telemetry: {enabled: false}" + SETTINGS.format(url=database))
        write_project(home, url or "unused.zarr")
        command = command_of_run(block, *((PROJECT, "image/plane_labels") if url else (EMPTY, "planes")))
        code = home.start(f"{shlex.join(LAUNCHED)} {command}").wait()
        output = home.output.read_text()
    if code:
        message = f"{command} ended with {code}, so its cost is not known:\n{output}"
        raise RuntimeError(message)
    launched, paces = json.loads(output.splitlines()[-1]), re.findall(r"([\d.]+) planes/s", output)
    segmenting = len(block) / float(paces[-1]) if url else 0.0
    return Cost(len(block), launched["whole"], launched["cpu"], launched["peak"], segmenting)


@contextmanager
def measured_home() -> Iterator[DagsterHome]:
    """Give an instance whose processes nothing watches: what tests look at costs time."""
    with TemporaryDirectory() as folder, dagster_home(Path(folder)) as home:
        (home.path / "python/sitecustomize.py").unlink()
        yield home


def write_project(home: DagsterHome, url: str, shape: Sequence[int] = IDR_SHAPE) -> ImageProject:
    """Write the project `simulated` with the image at `url`, which is segmented in two processes."""
    project = ImageProject(home.path / "simulated")
    project.write(url=url, level=f'"{LEVEL}"', shape=str(list(shape)), window="{t: all, z: all}")
    (project.package / "defs/dask/defs.yaml").write_text(PROCESSES)
    project.write_definitions()
    home.project = project.root
    return project


def command_of_run(block: Block, module: str, asset: str, shape: Sequence[int] = IDR_SHAPE) -> str:
    """Give Dagster's command that materializes the planes of a block of an image of this shape."""
    return f"dagster asset materialize -m {module} --select {asset} --partition-range '{_range(block, shape)}'"


def _told(command: list[str]) -> list[dict[str, Any]]:
    """Run a command to its end; give what it printed last, and what it cost."""
    ended = subprocess.run([*LAUNCHED, *command], stdout=subprocess.PIPE, text=True, check=True)  # noqa: S603
    return [json.loads(line) for line in ended.stdout.splitlines()[-2:]]


def _range(block: Block, shape: Sequence[int]) -> str:
    ends = ((indices[0], indices[-1]) for indices in (block.t, block.z))
    keys = ([index_key(index, length) for index in end] for end, length in zip(ends, shape[::2], strict=False))
    return "...".join("|".join(pair) for pair in zip(*keys, strict=True))
