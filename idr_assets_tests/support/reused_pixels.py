"""Fill an output from an image behind a server; which planes come from the output, and which from the server."""

from collections import Counter
from typing import Any

from idr_assets.imaging.output.creation import create_output
from idr_assets.imaging.output.origins import create_origins
from idr_assets.imaging.planes import Block, Plane
from idr_assets.imaging.reading.fingerprint import read_fingerprint
from idr_assets.imaging.reading.level import open_level
from idr_assets.imaging.segmentation import gaussian_threshold
from idr_assets.imaging.segmentation.block_task import BlockTask
from idr_assets_tests.support.segmented_nuclei import SHAPE, check_planes
from idr_assets_tests.support.store_server import StoreServer

BLOCK = Block(range(1, 4), (1, 0), range(1, 5))


def open_task(server: StoreServer, name: str = "segmentation", *, reuse: bool = True) -> BlockTask:
    """Open the image as it is now, and its output, whose requests do not count."""
    level = open_level(f"{server.url}/image.zarr", "0")
    output = create_output(str(server.root / "output"), level, name)
    state = read_fingerprint(level).state
    assert state
    origins = create_origins(output, level, state, reuse=reuse)
    server.reset()
    return BlockTask(level, output, gaussian_threshold, origins=origins)


def fill(server: StoreServer, block: Block = BLOCK, **options: Any) -> set[Plane]:  # noqa: ANN401  of open_task
    """Segment a block, check what is stored of it, and give the planes whose pixels came from the output."""
    task = open_task(server, **options)
    summaries = task(block)
    assert task.origins
    task.origins.note(block, [origin for summary in summaries for _, origin in summary.origins])
    pixels = open_level(str(server.root / "image.zarr"), "0").read(block)
    check_planes(task.output, block.planes(), pixels.reshape(-1, *SHAPE[3:]))
    return {summary.plane for summary in summaries if summary.reused}


def chunk_requests(server: StoreServer) -> Counter[str]:
    """Count the requests for each chunk or shard."""
    return Counter(path.removeprefix("/image.zarr/0/") for _, path in server.requests)


def keys(*planes: Plane) -> Counter[str]:
    """Name the chunks of planes, each requested once."""
    return Counter(f"{plane.t}/{plane.c}/{plane.z}/0/0" for plane in planes)
