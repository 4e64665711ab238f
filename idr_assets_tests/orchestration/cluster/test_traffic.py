"""What travels between a run and its dask cluster: addresses and indices of planes, never pixels or large graphs."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from anyio.from_thread import start_blocking_portal
from distributed import LocalCluster

from idr_assets_tests.support.dagster_home import project_instance
from idr_assets_tests.support.small_image import Segmented, write_project

SHAPE = (10, 1, 100, 64, 64)


class Wire:
    """A connection's middle: hands on what clients and a server say to each other, and counts the bytes."""

    def __init__(self, server: str) -> None:
        self.host, _, self.port = server.removeprefix("tcp://").partition(":")
        self.bytes: Counter[str] = Counter()

    @contextmanager
    def listening(self) -> Iterator[str]:
        """Give the address at which to talk to the server."""
        with start_blocking_portal() as portal:
            listener = portal.call(asyncio.start_server, self._connect, "127.0.0.1")
            yield f"tcp://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
            portal.call(listener.close)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers, server = await asyncio.open_connection(self.host, self.port)
        await asyncio.gather(self._hand_on("to", reader, server), self._hand_on("from", answers, writer))

    async def _hand_on(self, way: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(2**16):
            self.bytes[way] += len(data)
            writer.write(data)
        writer.close()


@pytest.fixture
def wire() -> Iterator[Wire]:
    """Give the wire to a cluster of two workers."""
    there = {"host": "127.0.0.1", "dashboard_address": "127.0.0.1:0", "protocol": "tcp", "processes": False}
    with LocalCluster(n_workers=2, threads_per_worker=1, **there) as cluster:
        yield Wire(cluster.scheduler_address)


def traffic(segmented: Segmented, wire: Wire, first: str, last: str) -> Counter[str]:
    """Run a rectangle of planes; give the bytes that went to the scheduler, and those that came from it."""
    before = wire.bytes.copy()
    assert segmented.run("plane_labels", first, last) == ""
    return wire.bytes - before


def test_no_pixels_and_no_large_graph_travel(wire: Wire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pixels = np.random.default_rng(0).integers(0, 2**16, SHAPE, np.uint16)
    fields = {"shape": str(list(SHAPE)), "channels": "[0]", "window": "{t: all, z: all}"}
    project = write_project(tmp_path / "project", pixels, **fields)
    monkeypatch.setenv("DAGSTER_EVENT_BATCH_SIZE", "1000")
    with project_instance(tmp_path) as instance, wire.listening() as address:
        dask = f"type: idr_assets.DaskCluster\nattributes: {{cluster: '{address}'}}\n"
        (project.package / "defs/dask/defs.yaml").write_text(dask)
        block = traffic(Segmented(project, instance), wire, "0|00", "0|01")
        whole = traffic(Segmented(project, instance), wire, "0|00", "9|99")
    assert block["to"] < 100_000
    assert whole["to"] < 1_000_000
    assert whole["from"] < pixels.nbytes / 10
