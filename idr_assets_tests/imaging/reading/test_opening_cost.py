"""What it costs to open an image: requests, memory, imports, and sessions that are closed."""

import subprocess
import sys
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from idr_assets.imaging.reading.fingerprint import read_fingerprint
from idr_assets.imaging.reading.level import open_level
from idr_assets_tests.support.idr_stores import write_idr_store, write_image
from idr_assets_tests.support.store_server import StoreServer

PROCESS = """
import atexit, gc, sys, aiohttp
from idr_assets.imaging.reading.fingerprint import read_fingerprint
from idr_assets.imaging.reading.level import open_level
from idr_assets.imaging.reading.retries import Patience
sessions = []
atexit.register(lambda: print([session.closed for session in sessions]))  # the last that is registered runs first
level = open_level(sys.argv[1], "0")
sessions += [thing for thing in gc.get_objects() if isinstance(thing, aiohttp.ClientSession)]
print([session.closed for session in sessions], read_fingerprint(level))
"""


OPENING = """
import sys
from pathlib import Path
from idr_assets.imaging.reading.fingerprint import read_fingerprint
from idr_assets.imaging.reading.level import open_level
from idr_assets.imaging.reading.retries import Patience
level = open_level(sys.argv[1], "4")
lazy = level.lazy()
read_fingerprint(level)
peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:"))
print(lazy.shape, lazy.dtype, lazy.chunksize, int(peak.split()[1]) * 1024, sep=";")
"""
"""Asks Linux for the peak, for `ru_maxrss` counts what the process that started this one had too."""


@pytest.mark.parametrize("version", ["0.1", "0.4"])
def test_opening_the_idr_level_is_cheap_and_reads_no_chunk(tmp_path: Path, version: Literal["0.1", "0.4"]) -> None:
    image = write_idr_store(tmp_path, version=version, t=[261], c=[0], z=[489])
    with StoreServer(tmp_path) as server:
        command = [sys.executable, "-c", OPENING, f"{server.url}/{image.relative_to(tmp_path)}"]
        opened = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
        asked = {Path(path).name for _, path in server.requests}
    *found, peak = opened.stdout.split(";")
    assert found == ["(532, 2, 988, 128, 135)", ">u2", "(1, 1, 1, 128, 135)"]
    assert asked <= {"zarr.json", ".zgroup", ".zattrs", ".zmetadata", ".zarray"}
    assert int(peak) < 300e6


def test_another_process_gives_the_same_fingerprint_and_closes_its_sessions(tmp_path: Path) -> None:
    write_image(tmp_path / "image.zarr", np.ones((1, 1, 1, 20, 30), "u2"), version="0.4")
    with StoreServer(tmp_path) as server:
        url = f"{server.url}/image.zarr"
        command = [sys.executable, "-W", "error", "-c", PROCESS, url]
        ended = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
        expected = read_fingerprint(open_level(url, "0"))
    assert (ended.stdout, ended.stderr) == (f"[False] {expected}\n[True]\n", "")


LOCAL = """
import sys
from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.planes import Block
from idr_assets.imaging.reading.fingerprint import read_fingerprint
from idr_assets.imaging.reading.level import open_level
from idr_assets.imaging.reading.retries import Patience
level = open_level(sys.argv[1], "0")
read_fingerprint(level)
for t in range(2):
    try:
        level.read(Block(range(t, t + 1), (0,), range(1)))
    except ImageError as error:
        print(type(error).__name__)
print(*sys.modules.keys() & {"aiohttp", "botocore", "s3fs", "aiobotocore"})
"""


def test_an_image_in_a_folder_does_not_pay_for_the_clients_of_http_and_s3(tmp_path: Path) -> None:
    image = write_image(tmp_path / "image.zarr", np.ones((2, 1, 1, 20, 30), "u2"), version="0.4")
    (image / "0/1/0/0/0/0").unlink()
    command = [sys.executable, "-c", LOCAL, str(image)]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "MissingChunkError\n\n"  # noqa: S603
