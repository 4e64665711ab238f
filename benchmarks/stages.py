"""Where the processor time of a plane goes: of our work on a block, and of the plain loop's."""

import argparse
import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from time import process_time
from typing import Any
from unittest.mock import patch

import scipy.ndimage
import zarr

from benchmarks.ways import UNCOUNTED, WAYS
from benchmarks.windows import window
from idr_assets.imaging.output.origins import Origins
from idr_assets.imaging.reading.level import Level
from idr_assets.imaging.segmentation import block_task
from idr_assets.imaging.segmentation.block_task import BlockTask

STAGES: dict[str, dict[str, list[tuple[Any, str]]]] = {
    "ours": {
        "fetch": [(Level, "read")],
        "segment": [(BlockTask, "segment")],
        "write": [(block_task, "store_planes")],
        "read back": [(block_task, "prove_written")],
        "note origins": [(Origins, "compute"), (Origins, "note")],
    },
    "loop": {
        "fetch": [(zarr.Array, "__getitem__")],
        "segment": [(scipy.ndimage, "gaussian_filter"), (scipy.ndimage, "label")],
        "write": [(zarr.Array, "__setitem__")],
    },
}
"""The functions in which each stage of a way happens, none of which calls another of them."""


@contextmanager
def timed(way: str) -> Iterator[dict[str, float]]:
    """Give the processor seconds of this process in each stage of a way, its helping threads' too."""
    seconds: dict[str, float] = defaultdict(float)

    def measured(stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401  whatever the function takes
            started = process_time()
            try:
                return function(*arguments, **named)
            finally:
                seconds[stage] += process_time() - started

        return call

    with ExitStack() as patches:
        for stage, places in STAGES[way].items():
            for owner, name in places:
                patches.enter_context(patch.object(owner, name, measured(stage, getattr(owner, name))))
        yield seconds


def main() -> None:
    """Go one way, one thread and one block at a time; print the processor seconds of each stage."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("way", choices=STAGES)
    parser.add_argument("url")
    parser.add_argument("planes", type=int)
    options = parser.parse_args()
    options.form, options.workers, options.block = "in_process", 1, 64
    with timed(options.way) as seconds, WAYS[options.way](options.url, options) as segment:
        segment(UNCOUNTED)
        seconds.clear()
        started = process_time()
        segment(window(options.planes))
        whole = process_time() - started
    print(json.dumps(seconds | {"all else": whole - sum(seconds.values())}))  # noqa: T201


if __name__ == "__main__":
    main()
