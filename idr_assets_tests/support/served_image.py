"""Six planes of an image behind a server, for tests of one fault after the other."""

from typing import NamedTuple

import numpy as np

from idr_assets.imaging.planes import Block
from idr_assets.imaging.reading.level import Level
from idr_assets.imaging.reading.retries import Patience
from idr_assets_tests.support.idr_stores import nuclei_plane
from idr_assets_tests.support.store_server import StoreServer

QUICK = Patience(tries=3, seconds=10, timeout=1, wait=0.05)
BLOCK = Block(range(2), (0,), range(3))
EXPECTED = np.stack([[nuclei_plane(t, 0, z) for z in BLOCK.z] for t in BLOCK.t])[:, np.newaxis]


class Served(NamedTuple):
    """The image at `url`, opened."""

    server: StoreServer
    url: str
    level: Level

    def key(self, path: str) -> str:
        """Name a file of the image as the server knows it."""
        return f"{self.url.removeprefix(self.server.url)}/{path}"
