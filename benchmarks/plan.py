"""Opens the image at an address and plans all of its planes: `python -m benchmarks.plan URL`."""

import json
import sys
from time import perf_counter

from benchmarks.simulated_image import LEVEL
from idr_assets.imaging.planes import Block, block_size
from idr_assets.imaging.reading.level import open_level


def main(url: str) -> None:
    """Print the seconds from the address to the blocks of every plane of one channel; imports do not count."""
    started = perf_counter()
    level = open_level(url, LEVEL)
    window = Block(range(level.shape[0]), (0,), range(level.shape[2]))
    blocks = list(window.cut(level.chunks, block_size(level.plane_shape, len(window), 2)))
    print(json.dumps({"plan": perf_counter() - started, "blocks": len(blocks)}))  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1])
