"""Sharded images behind a server that stutters or lies: parts of shards are read with the same care as whole chunks."""

from collections.abc import Iterator
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from idr_assets.imaging.chunk_store import Patience
from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.planes import Plane
from idr_assets.imaging.source import open_level
from idr_assets_tests.idr_stores import nuclei_plane, write_image
from idr_assets_tests.store_server import Fault, StoreServer, changed, connection_reset, cut, hang, replaced, status

PIXELS = np.array([[[nuclei_plane(0, 0, z, (40, 36)) for z in range(4)]]])
SHARD = "*/0/c/0/0/0/0/0"
HASTY = Patience(tries=3, timeout=2, seconds=20, wait=0.01)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[StoreServer]:
    """Serve an image of four planes in one shard."""
    with StoreServer(tmp_path) as server:
        write_image(tmp_path / "image.zarr", PIXELS, version="0.5", shards=(1, 1, 4, 40, 36))
        yield server


def read(server: StoreServer, z: int) -> Any:  # noqa: ANN401  pixels
    level = open_level(f"{server.url}/image.zarr", "0", patience=HASTY)
    return level.read(Plane(0, 0, z).block)[0, 0, 0]


FAULTS: dict[str, Fault] = {
    "503": status(503),
    "reset": connection_reset,
    "cut": cut,
    "hang": hang,
    "shorter": changed(lambda body: body[:-1]),
    "longer": changed(lambda body: body + b"1"),
    "a page": replaced(b"<!doctype html><html></html>", "text/html"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_that_passes_leaves_the_pixels_as_they_are(server: StoreServer, fault: str) -> None:
    server.faults[SHARD] = [FAULTS[fault], None, FAULTS[fault]]
    np.testing.assert_array_equal(read(server, 2), PIXELS[0, 0, 2])


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_that_stays_names_the_shard(server: StoreServer, fault: str) -> None:
    server.faults[SHARD] = repeat(FAULTS[fault])
    with pytest.raises(ImageError, match=r"/image\.zarr/0/c/0/0/0/0/0 cannot be read \(3 tries\)"):
        read(server, 2)
