"""A store that dies in the middle of a run: the run ends within two patiences. The table of faults has bad planes."""

import asyncio
from itertools import repeat
from pathlib import Path
from time import monotonic

import numpy as np
import pytest
from distributed import Client

from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.output.creation import create_output
from idr_assets.imaging.planes import Block
from idr_assets.imaging.reading.level import open_level
from idr_assets.imaging.reading.retries import Patience
from idr_assets.imaging.reading.silence import Silence, SilentStoreError
from idr_assets.imaging.segmentation.block_task import BlockTask
from idr_assets.imaging.segmentation.blocks import segment_blocks
from idr_assets.imaging.segmentation.functions import gaussian_threshold
from idr_assets.imaging.segmentation.plane_results import PlaneFailure
from idr_assets_tests.support.idr_stores import write_image
from idr_assets_tests.support.store_faults import Fault, connection_reset, hang, status
from idr_assets_tests.support.store_server import StoreServer

PATIENCE = Patience(timeout=0.5, seconds=1.5, wait=0.05, tries=100)
PIXELS = np.random.default_rng(0).integers(0, 2**16, (4, 1, 16, 20, 20), "u2")


@pytest.mark.parametrize("fault", [hang, connection_reset, status(503)], ids=["hang", "reset", "503"])
def test_a_run_ends_when_its_store_dies(server: StoreServer, tmp_path: Path, fault: Fault) -> None:
    write_image(server.root / "image.zarr", PIXELS, version="0.4")
    level = open_level(f"{server.url}/image.zarr", "0", patience=PATIENCE)
    output = create_output(str(tmp_path / "image.ome.zarr"), level)
    server.faults["*"] = repeat(fault)
    blocks = [Block(range(t, t + 1), (0,), range(z, z + 4)) for t in range(4) for z in range(0, 16, 4)]
    with Client(processes=False, n_workers=1, threads_per_worker=2, dashboard_address="127.0.0.1:0") as client:
        started = monotonic()
        results = list(segment_blocks(client, BlockTask(level, output, gaussian_threshold), blocks))
        assert monotonic() - started < 2 * PATIENCE.seconds + 1  # for a busy machine
    reasons = [result.reason for result in results if isinstance(result, PlaneFailure)]
    assert len(reasons) == len(results) == 64
    assert sum("was not tried: its store has not answered since 2" in reason for reason in reasons) > 50
    server.faults.clear()
    assert open_level(level.address, "0").read(blocks[0]).any()  # a new run asks anew


def test_a_store_that_answers_again_is_heard(server: StoreServer) -> None:
    write_image(server.root / "image.zarr", PIXELS, version="0.4")
    patience = Patience(timeout=0.2, seconds=0.4, wait=0.01)
    level, block = open_level(f"{server.url}/image.zarr", "0", patience=patience), Block(range(1), (0,), range(1))
    server.faults["*"] = repeat(status(503))
    with pytest.raises(ImageError, match="answers with status 503"):
        level.read(block)
    asked = len(server.requests)
    with pytest.raises(SilentStoreError):
        level.read(block)
    assert len(server.requests) == asked
    server.faults.clear()
    asyncio.run(asyncio.sleep(0.5))
    np.testing.assert_array_equal(level.read(block)[0, 0], PIXELS[0, 0, :1])


def test_what_is_silence() -> None:
    asked: list[bool] = []
    alive = True
    fault = TimeoutError()

    async def ask() -> None:
        asked.append(alive)
        if not alive:
            raise TimeoutError

    async def live() -> None:
        nonlocal alive
        silence = Silence(ask, seconds=0.05, timeout=1)
        await silence.check("a")
        began = monotonic()
        await silence.doubt(fault)
        assert not asked  # one request failed, and no patience is over
        await silence.doubt(fault, began)
        assert asked == [True]  # given up, and the store is there
        await silence.check("a")
        await asyncio.sleep(0.1)
        silence.hear()
        await silence.doubt(fault)
        assert asked == [True]  # another request was answered
        await silence.check("a")
        await asyncio.sleep(0.1)
        alive = False
        await asyncio.gather(silence.doubt(fault), silence.doubt(fault), silence.doubt(fault, began))
        assert asked == [True, False]  # one asks for all
        with pytest.raises(SilentStoreError, match="a was not tried: its store has not answered since"):
            await silence.check("a")
        await asyncio.sleep(0.1)
        alive = True
        await silence.check("a")

    asyncio.run(live())
