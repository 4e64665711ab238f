"""Stores behind a server that misbehaves on demand."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from idr_assets.imaging.reading.level import open_level
from idr_assets_tests.support.idr_stores import write_idr_store
from idr_assets_tests.support.served_image import BLOCK, QUICK, Served
from idr_assets_tests.support.store_server import StoreServer


@pytest.fixture
def server(tmp_path: Path) -> Iterator[StoreServer]:
    """Serve the folder of a test."""
    with StoreServer(tmp_path) as server:
        yield server


@pytest.fixture(scope="module")
def image_of_module(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    root = tmp_path_factory.mktemp("store")
    image = write_idr_store(root, version="0.4", t=BLOCK.t, c=BLOCK.c, z=BLOCK.z)
    with StoreServer(root) as server:
        url = f"{server.url}/{image.relative_to(root).as_posix()}"
        yield Served(server, url, open_level(url, "4", patience=QUICK))


@pytest.fixture
def served(image_of_module: Served) -> Served:
    """Serve six planes without any fault yet."""
    image_of_module.server.faults.clear()
    image_of_module.server.reset()
    return image_of_module
