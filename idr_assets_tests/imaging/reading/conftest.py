"""A small image in a folder, and behind a server."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from idr_assets_tests.support.idr_stores import write_image
from idr_assets_tests.support.store_server import StoreServer


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """Write a 0.4 image of two planes."""
    return write_image(tmp_path / "image.zarr", np.ones((1, 1, 2, 20, 30), ">u2"), version="0.4")


@pytest.fixture
def address(image: Path) -> Iterator[str]:
    """Serve that image."""
    with StoreServer(image.parent) as server:
        yield f"{server.url}/image.zarr"
