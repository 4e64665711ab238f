"""Three ways to segment planes of one store: the notebook's, ours, and a plain loop. Each runs in its own process.

Every way first does planes that do not count, so that imports and connections are not measured. Then it waits for its
turns, so that others may be measured in between.
"""

import argparse
import json
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from typing import Any

import numpy as np
import zarr

from benchmarks.memory import largest
from benchmarks.simulated_image import LEVEL
from benchmarks.windows import window
from idr_assets.imaging.planes import Block, block_size

type Segment = Callable[[Block], None]
"""Segments the planes of a block, all of which are at hand or stored when it returns."""

UNCOUNTED = Block(range(530, 531), (0,), range(4))
"""Planes outside of every window."""


@contextmanager
def notebook(url: str, _: argparse.Namespace) -> Iterator[Segment]:
    """Segment as the notebook does, whose slider computes the labels that it shows; nothing is stored."""
    import dask  # noqa: PLC0415  each way pays for its own imports
    import dask.array as da  # noqa: PLC0415
    import dask_image.ndfilters  # noqa: PLC0415
    import dask_image.ndmeasure  # noqa: PLC0415

    data = da.from_zarr(f"{url}/{LEVEL}")

    def analyze(t: int, c: int, z: int) -> Any:  # noqa: ANN401  dask's
        plane = data[t, c, z, :, :]
        smoothed = dask_image.ndfilters.gaussian_filter(plane, sigma=[1, 1])
        threshold = 0.33 * da.max(smoothed).compute()
        return dask_image.ndmeasure.label(smoothed > threshold)[0]

    def segment(block: Block) -> None:
        lazy = [dask.delayed(analyze)(plane.t, plane.c, plane.z) for plane in block.planes()]
        for labels in dask.compute(*lazy):
            np.asarray(labels)

    yield segment


@contextmanager
def ours(url: str, options: argparse.Namespace) -> Iterator[Segment]:
    """Segment as a run of Dagster does, without Dagster."""
    from idr_assets.imaging.output.creation import create_output  # noqa: PLC0415
    from idr_assets.imaging.output.origins import create_origins  # noqa: PLC0415
    from idr_assets.imaging.output.provenance import Provenance  # noqa: PLC0415
    from idr_assets.imaging.reading.fingerprint import read_fingerprint  # noqa: PLC0415
    from idr_assets.imaging.reading.level import open_level  # noqa: PLC0415
    from idr_assets.imaging.segmentation.block_task import BlockTask  # noqa: PLC0415
    from idr_assets.imaging.segmentation.blocks import segment_blocks  # noqa: PLC0415
    from idr_assets.imaging.segmentation.functions import gaussian_threshold  # noqa: PLC0415
    from idr_assets.imaging.segmentation.plane_results import PlaneFailure  # noqa: PLC0415
    from idr_assets.orchestration.cluster.client import client  # noqa: PLC0415

    level = open_level(url, LEVEL)
    with TemporaryDirectory() as folder, client(options.form, options.workers, {}) as cluster:
        output = create_output(f"{folder}/image.ome.zarr", level)
        state = read_fingerprint(level).state
        origins = create_origins(output, level, state, reuse=True) if state else None
        task = BlockTask(level, output, gaussian_threshold, {}, Provenance.from_json({"source": {"url": url}}), origins)

        def segment(planes: Block) -> None:
            size = options.block or block_size(level.plane_shape, len(planes), options.workers)
            found = segment_blocks(cluster, task, planes.cut(level.chunks, size))
            if failures := [each.reason for each in found if isinstance(each, PlaneFailure)]:
                raise RuntimeError(failures[0])

        yield segment


@contextmanager
def loop(url: str, _: argparse.Namespace) -> Iterator[Segment]:
    """Read, segment and write one plane after the other: no retry, no check, nothing beside."""
    from scipy.ndimage import gaussian_filter, label  # noqa: PLC0415

    from idr_assets.imaging.stores.by_address import open_store  # noqa: PLC0415

    source = zarr.open_array(f"{url}/{LEVEL}", mode="r")
    with TemporaryDirectory() as folder:
        layout: dict[str, Any] = {"shape": source.shape, "chunks": source.chunks}
        pixels = zarr.create_array(open_store(f"{folder}/pixels"), dtype="uint16", **layout)
        labels = zarr.create_array(open_store(f"{folder}/labels"), dtype="int32", **layout)

        def segment(block: Block) -> None:
            for plane in block.planes():
                where = plane.t, plane.c, plane.z
                pixels[where] = values = np.asarray(source[where])
                smoothed = gaussian_filter(values, 1)
                labels[where] = label(smoothed > 0.33 * smoothed.max())[0]

        yield segment


WAYS = {way.__name__: way for way in (notebook, ours, loop)}


def main() -> None:
    """Go one way, at each number of a turn that is read; print the seconds and processor seconds that its planes took.

    With them is told the peak memory, in bytes, of the largest process until then.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("way", choices=WAYS)
    parser.add_argument("url")
    parser.add_argument("planes", type=int)
    parser.add_argument("--block", type=int, default=0, help="planes of a block, as a run has it unless given")
    parser.add_argument("--form", default="in_process")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    with WAYS[options.way](options.url, options) as segment:
        segment(replace(UNCOUNTED, z=range(1 if options.way == "notebook" else 4)))
        print("ready", flush=True)  # noqa: T201
        for turn in sys.stdin:
            block = window(options.planes, int(turn))
            started, before = perf_counter(), process_time()
            segment(block)
            told = {"seconds": perf_counter() - started, "cpu": process_time() - before, "peak": largest()}
            print(json.dumps(told), flush=True)  # noqa: T201


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends who holds the other end of the pipe, and so this
    main()
