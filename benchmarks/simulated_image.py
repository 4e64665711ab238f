"""The IDR's image 4007801, whole, from a server that makes each chunk when it is asked for: no disk holds a pixel.

Here belongs what the chunks are. Metadata are those of `idr_stores`, and the server is `store_server`'s.
"""

import asyncio
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from aiohttp import web
from numcodecs import Blosc

from idr_assets_tests.support.idr_stores import IDR_PATHS, IDR_SHAPE, nuclei_plane, write_idr_store
from idr_assets_tests.support.store_server import StoreServer

PATH = IDR_PATHS["0.4"]
LEVEL = "4"
CHUNK = re.compile(rf"/{re.escape(PATH)}/{LEVEL}/(\d+)/(\d+)/(\d+)/0/0")

PATTERNS = 16
"""Planes that are drawn once; each of the image is one of them, shifted by its own t, c and z."""


class SimulatedImage(StoreServer):
    """Serve every plane of the image below `root`, where its metadata are written; `latency` in seconds."""

    def __init__(self, root: Path, latency: float, shape: tuple[int, ...] = IDR_SHAPE) -> None:
        write_idr_store(root, version="0.4", t=[], c=[], z=[], level=LEVEL, shape=shape)
        super().__init__(root, latency)
        self._patterns = [nuclei_plane(index, 0, 0, shape[-2:]).astype(">u2") for index in range(PATTERNS)]
        self._shape = shape
        self._codec = Blosc("lz4", clevel=5, shuffle=Blosc.SHUFFLE)

    def chunk(self, t: int, c: int, z: int) -> bytes:
        """Encode a plane, (y, x) >u2, as the IDR does: about a tenth of a millisecond."""
        plane = np.roll(self._patterns[z % PATTERNS], (t + z, t + c + 2 * z), (0, 1))
        return bytes(self._codec.encode(plane))

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        place = CHUNK.fullmatch(request.path)
        index = [int(number) for number in place.groups()] if place else []
        if not index or any(at >= length for at, length in zip(index, self._shape, strict=False)):
            return await super()._answer(request)
        await asyncio.sleep(self.latency)
        return web.Response(body=self.chunk(*index))


@contextmanager
def simulated_image(latency: float, shape: tuple[int, ...] = IDR_SHAPE) -> Iterator[str]:
    """Serve the image from a process of its own, and give its address; it ends with this one, however that ends."""
    command = [sys.executable, "-m", __spec__.name, str(latency), *map(str, shape)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:  # noqa: S603
        assert server.stdout
        yield server.stdout.readline().strip()


@contextmanager
def stored_image(planes: int, timepoints: int) -> Iterator[str]:
    """Give the address of the image on disk, which has as many planes of its first timepoints, and those of `ways`."""
    with TemporaryDirectory() as root:
        t = [*range(timepoints), IDR_SHAPE[0] - 2]
        image = write_idr_store(Path(root), version="0.4", t=t, c=[0], z=range(planes), level=LEVEL)
        yield str(image)


def main() -> None:
    """Serve until the standard input ends; the arguments are those of `simulated_image`."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends who holds the other end, and so this
    latency, *shape = sys.argv[1:]
    with TemporaryDirectory() as root, SimulatedImage(Path(root), float(latency), tuple(map(int, shape))) as server:
        print(f"{server.url}/{PATH}", flush=True)  # noqa: T201
        sys.stdin.read()


if __name__ == "__main__":
    main()
