"""A plate against the same planes as one image, from HTTP on loopback: `python -m benchmarks.plate`.

Each is measured by wall clock and by processor time of this process, which other work of the machine does not change.
"""

import argparse
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time

import numpy as np
from distributed import Client

from idr_assets.imaging.planes import Block
from idr_assets.imaging.reading.plate import PlateSource
from idr_assets.imaging.reading.source import Source
from idr_assets.imaging.segmentation.functions import gaussian_threshold
from idr_assets.imaging.segmentation.plane_results import PlaneFailure
from idr_assets.imaging.segmentation.plate_run import PlateRun
from idr_assets.imaging.segmentation.recipe import Recipe
from idr_assets.imaging.segmentation.run import SegmentationRun
from idr_assets.imaging.wells import Field, list_fields, parse_wells
from idr_assets_tests.support.idr_stores import write_image
from idr_assets_tests.support.plate_stores import field_pixels, write_plate
from idr_assets_tests.support.store_server import StoreServer

SHAPE = (1, 2, 1, 256, 256)
RECIPE = Recipe("gaussian_threshold", gaussian_threshold, {}, (0, 1))
BOUND = 1.5
"""How many times as long as one image a plate may take."""


@dataclass(frozen=True)
class Spent:
    """Seconds until planes could be segmented, and until they were, by the clock and of the processor."""

    prepared: float
    prepared_cpu: float
    whole: float
    whole_cpu: float


def measure(prepare: Callable[[], SegmentationRun], block: Block, client: Client) -> Spent:
    """Prepare a run and segment its planes."""
    clock, processor = perf_counter(), process_time()
    run = prepare()
    prepared = perf_counter() - clock, process_time() - processor
    found = list(run.segment(client, block, threads=sum(client.nthreads().values())))
    assert len(found) == len(block)
    assert not [it for it in found if isinstance(it, PlaneFailure)]
    return Spent(*prepared, perf_counter() - clock, process_time() - processor)


@contextmanager
def served(fields: tuple[Field, ...]) -> Iterator[tuple[str, Path]]:
    """Serve a plate of these fields, and an image of the same planes, from a process of its own."""
    with TemporaryDirectory() as folder:
        write_plate(Path(folder) / "plate.zarr", fields, shape=SHAPE)
        write_image(
            Path(folder) / "image.zarr", np.concatenate([field_pixels(it, SHAPE) for it in fields]), version="0.4"
        )
        command = [sys.executable, "-m", "benchmarks.plate", "--serve", folder]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:  # noqa: S603
            assert server.stdout
            yield server.stdout.readline().strip(), Path(folder)
            server.communicate()


def compare(wells: str, fields: int, rounds: int) -> tuple[list[Spent], list[Spent]]:
    """Measure an image and a plate of the same planes in turns; the first round, which is not counted, warms both."""
    every = list_fields(parse_wells([wells]), range(fields))
    block, numbers = Block(range(len(every)), (0, 1), range(1)), range(len(every))
    spent: tuple[list[Spent], list[Spent]] = [], []
    with (
        served(every) as (url, folder),
        Client(processes=False, n_workers=1, threads_per_worker=2, dashboard_address=None) as client,
    ):
        image = Source(f"{url}/image.zarr", "0", (len(every), *SHAPE[1:]))
        plate = PlateSource(address=f"{url}/plate.zarr", level="0", shape=SHAPE, fields=every, times=range(1))
        for number in range(rounds + 1):
            output = str(folder / f"{number}")
            ways: tuple[Callable[[], SegmentationRun], ...] = (
                lambda: SegmentationRun.prepare(image, RECIPE, block, f"{output}.image"),  # noqa: B023  called here
                lambda: PlateRun.prepare_fields(plate, RECIPE, block, f"{output}.plate", numbers),  # noqa: B023
            )
            for way, found in zip(ways, spent, strict=True):
                found.append(measure(way, block, client))
    return spent[0][1:] or spent[0], spent[1][1:] or spent[1]


def main() -> None:
    """Measure as the arguments say, and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wells", default="A01:H12")
    parser.add_argument("--fields", type=int, default=9)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        with StoreServer(arguments.serve) as server:
            sys.stdout.write(f"{server.url}\n")
            sys.stdout.flush()
            sys.stdin.read()
        return
    image, plate = compare(arguments.wells, arguments.fields, arguments.rounds)
    for name, found in (("image", image), ("plate", plate)):
        for it in found:
            sys.stdout.write(
                f"{name}: {it.whole:.1f} s, {it.prepared:.1f} of it to prepare; processor {it.whole_cpu:.1f} s, "
                f"{it.prepared_cpu:.1f} of it to prepare\n"
            )
    clock, processor = (
        min(getattr(it, of) for it in plate) / min(getattr(it, of) for it in image) for of in ("whole", "whole_cpu")
    )
    sys.stdout.write(
        f"a plate takes {clock:.2f} times as long as one image, {processor:.2f} times of the processor; bound {BOUND}\n"
    )


if __name__ == "__main__":
    main()
