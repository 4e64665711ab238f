"""How a run of very many small planes goes: its pace, memory and files, and what is asked and made after it.

`python -m benchmarks.scale --planes 100000` prints all of it; `make bench` measures runs of up to 10,000 planes.
"""

import argparse
import os
import random
import sys
from collections.abc import Callable, Sequence
from itertools import chain
from pathlib import Path
from time import monotonic
from typing import Any

import dagster as dg

from benchmarks.costs import PROJECT, command_of_run, measured_home, write_project
from benchmarks.simulated_image import simulated_image
from benchmarks.watched_run import pace, watch
from benchmarks.windows import MOST, window
from idr_assets.imaging.output.files import remove_file
from idr_assets.orchestration.automation.missing import missing_planes, plan_runs
from idr_assets.orchestration.image import Image
from idr_assets.orchestration.partitions import planes_of
from idr_assets_tests.support.dagster_home import DagsterHome

SIDE = 32
"""Pixels of a side of a plane."""

MISSING = 0.01
"""Share of the planes that are made missing at random."""

KEY = dg.AssetKey(["image", "plane_labels"])


def timed[T](what: str, do: Callable[[], T]) -> T:
    """Do something and print how long it took."""
    started, used = monotonic(), processor_seconds()
    found = do()
    tell(f"{what}, seconds, and of processor", f"{monotonic() - started:.1f}, {processor_seconds() - used:.1f}")
    return found


def processor_seconds() -> float:
    """Count the processor seconds of this process, and of those that it has started and that have ended."""
    return sum(os.times()[:4])


def tell(what: str, figure: object) -> None:
    """Print a figure."""
    sys.stdout.write(f"{what:<60} {figure}\n")
    sys.stdout.flush()


def first_run(home: DagsterHome, planes: int, shape: Sequence[int]) -> None:
    """Make all planes; tell the pace and memory at the start and at the end, and what each tenth of them takes."""
    process = home.start(command_of_run(window(planes), PROJECT, "image/plane_labels", shape))
    looks = list(watch(home, process))
    if process.wait():
        raise RuntimeError(home.output.read_text()[-2000:])
    for what, of in (("planes a second", "seconds"), ("planes a second of processor time", "cpu")):
        early, late = (pace(looks, planes, share, of) for share in ((0.05, 0.3), (0.7, 0.95)))
        tell(f"{what}, 5 to 30 % and 70 to 95 %", f"{early:.0f}, {late:.0f}: {late / early:.2f} times")
    tenths = [pace(looks, planes, (part / 10, (part + 1) / 10), "cpu") for part in range(10)]
    tell("ms of processor time a plane, by tenths", ", ".join(f"{1000 / it:.2f}" for it in tenths))
    for part in (0.1, 0.5, 0.95):
        look = next(look for look in looks if look.done >= part * planes)
        tell(f"MB of the run's process, and of all, at {part:.0%}", f"{look.own / 1e6:.0f}, {look.all / 1e6:.0f}")
    tell("seconds of the run", f"{looks[-1].seconds:.0f}")


def count_files(folder: Path) -> tuple[int, int, int]:
    """Count the files and folders below a folder, and the bytes of the files."""
    found = [(len(files), len(folders), [f"{at}/{file}" for file in files]) for at, folders, files in os.walk(folder)]
    size = sum(os.stat(path).st_blocks * 512 for *_, paths in found for path in paths)  # noqa: PTH116  very many
    return sum(files for files, *_ in found), sum(folders for _, folders, _ in found), size


def later(home: DagsterHome, definitions: dg.Definitions, planes: int) -> None:
    """Ask what is missing, and make a part of the planes that Dagster alone has forgotten, then one that is gone."""
    image = (definitions.resources or {})["image_io"].images[0]

    def tick() -> Any:  # noqa: ANN401  Dagster's own
        context = dg.build_schedule_context(instance=home.instance)
        return definitions.resolve_schedule_def("missing_image").evaluate_tick(context)

    def resume() -> bool:
        (tags,) = plan_runs(home.instance, image, missing_planes(home.instance, image))
        job = definitions.resolve_job_def("segment_image")
        return job.execute_in_process(instance=home.instance, asset_selection=[KEY], tags=tags).success

    keys = sorted(home.instance.get_materialized_partitions(KEY))
    tell("partitions that Dagster counts", len(keys))
    timed("tick of missing_image, all of these made", tick)
    gone = random.Random(0).sample(keys, max(1, round(MISSING * planes)))  # noqa: S311
    timed(f"wipe of {len(gone)} at random", lambda: home.instance.wipe_asset_partitions(KEY, gone))
    timed(f"tick of missing_image, {len(gone)} of them missing", tick)
    timed(f"one run that takes over these {len(gone)}, which are stored", resume)
    home.instance.wipe_asset_partitions(KEY, gone)
    remove_planes(image, gone)
    timed(f"one run that makes these {len(gone)}, which are gone", resume)
    assert len(home.instance.get_materialized_partitions(KEY)) == planes


def remove_planes(image: Image, keys: Sequence[str]) -> None:
    """Remove pixels and labels of planes, as if no run had come to them."""
    output = image.open_output()
    for key in chain.from_iterable(output.chunk_keys(plane) for it in keys for plane in planes_of(image, it)):
        remove_file(f"{output.url}/{key}")


def main() -> None:
    """Make as many planes as the argument says; print what that takes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--planes", type=int, default=100_000, help=f"up to {MOST:,}, whole timepoints of 500")
    block = window(parser.parse_args().planes)
    planes, shape = len(block), (len(block.t), 1, len(block.z), SIDE, SIDE)
    with simulated_image(0, shape) as url, measured_home() as home:
        project = write_project(home, url, shape)
        tell("planes", planes)
        first_run(home, planes, shape)
        os.environ.update(IDR_ASSETS_DATA=str(home.data), DAGSTER_HOME=str(home.path))
        definitions = project.load()
        files, folders, size = count_files(home.data)
        tell("files and folders of the output, and MB on disk", f"{files:,}, {folders:,}, {size / 1e6:,.0f}")
        tell("MB of the event log", f"{count_files(home.path / 'history')[2] / 1e6:,.0f}")
        later(home, definitions, planes)


if __name__ == "__main__":
    main()
