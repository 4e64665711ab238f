"""The tables of docs/explanation/faults.md, row by row: what they say happens, and no plane beside it suffers."""

import json
import re
from collections.abc import Iterator
from itertools import repeat
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from distributed import Client

from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.output.creation import create_output
from idr_assets.imaging.planes import Block, Plane
from idr_assets.imaging.reading.retries import Patience
from idr_assets.imaging.segmentation.block_task import BlockTask
from idr_assets.imaging.segmentation.blocks import segment_blocks
from idr_assets.imaging.segmentation.functions import gaussian_threshold
from idr_assets.imaging.segmentation.plane_results import PlaneFailure
from idr_assets_tests.support import store_faults as faults
from idr_assets_tests.support.idr_stores import write_image
from idr_assets_tests.support.small_image import PIXELS, recipe, small_image
from idr_assets_tests.support.store_faults import Fault
from idr_assets_tests.support.store_server import StoreServer

CHUNKS, IMAGES = (Path(__file__).parent.parent / "docs/explanation/faults.md").read_text().split("| fault |")[1:3]
HASTY = Patience(tries=2, timeout=0.3, wait=0.01)
BLOCK = Block(range(2, 3), (1,), range(9, 12))
BAD = Plane(2, 1, 10)

OF_A_CHUNK: dict[str, Fault] = {
    "404": faults.status(404),
    "403": faults.status(403),
    "410": faults.status(410),
    "429 with `Retry-After`": faults.status(429, {"Retry-After": "3600"}),
    "503": faults.status(503),
    "reset before headers": faults.connection_reset,
    "answer that is not HTTP": faults.garbled,
    "body cut": faults.cut,
    "consistent truncation": faults.truncated,
    "random bytes": faults.random_bytes,
    "header of another chunk": faults.changed(lambda body: body[:4] + bytes(4) + body[8:]),
    "empty body": faults.empty,
    "HTML with 200": faults.html_page,
    "endless body": faults.endless,
    "body too long": faults.announced(10**9),
    "body that a transfer encoding makes long": faults.encoded(10**7),
    "hang": faults.hang,
    "slow drip": faults.drip(0.2),
    "redirect loop": faults.redirect(""),
    "redirect to another host": faults.redirect("http://localhost:9"),
    "redirect to another port": faults.redirect("http://127.0.0.1:9"),
    "redirect to a file": faults.redirect("file://"),
}

OF_AN_IMAGE: dict[str, dict[str, Any]] = {
    "no image at the address": {"address": "/nowhere.zarr"},
    "missing .zarray": {"fault": faults.status(404)},
    "bad metadata JSON": {"fault": faults.replaced(b"{no JSON")},
    "403 for metadata": {"fault": faults.status(403)},
    "wrong separator": {"declared": {"dimension_separator": "."}},
    "wrong shape": {"declared": {"shape": [3, 2, 12, 40, 37]}},
    "wrong dtype": {"declared": {"dtype": "<f2"}, "dtype": "uint16"},
    "wrong byte order declared": {"declared": {"dtype": "<u2"}},
    "a codec that pixels do not need": {"declared": {"compressor": {"id": "pickle"}}},
    "level outside of the image": {"level": "../other"},
    "a version that is not known": {"metadata": {"multiscales": [{"version": "0.7"}]}},
    "axes that are not known": {"metadata": {"multiscales": [{"axes": ["q", "y", "x"], "datasets": [{"path": "0"}]}]}},
    "other axes than dimensions": {"metadata": {"multiscales": [{"axes": ["y", "x"], "datasets": [{"path": "0"}]}]}},
    "the address of a plate": {"metadata": {"plate": {"wells": [{"path": "A/1"}]}}},
    "the address of a level": {"address": "/source.zarr/0"},
    "the address of a web page": {"address": "/webclient/?show=image-1"},
    "address of an unknown kind": {"scheme": "HTTP"},
}


class Served(NamedTuple):
    """A small image behind a server, and a cluster."""

    server: StoreServer
    client: Client


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    root = tmp_path_factory.mktemp("store")
    write_image(root / "source.zarr", PIXELS, version="0.4")
    cluster = {"processes": False, "n_workers": 1, "threads_per_worker": 2, "dashboard_address": "127.0.0.1:0"}
    with StoreServer(root) as server, Client(**cluster) as client:
        yield Served(server, client)


def message_of(table: str, fault: str) -> str:
    """Give what a row quotes of the error as a pattern."""
    (message,) = re.findall(rf"^\| {re.escape(fault)} \|.*\| `([^`]+)` \|$", table, re.MULTILINE)
    return re.sub(r"<\w+>|\\\.\\\.\\\.", ".+", re.escape(message))


def rows(table: str) -> list[str]:
    return re.findall(r"^\| (\S.*?) \|", table, re.MULTILINE)


def test_every_row_of_the_tables_is_tested() -> None:
    assert rows(CHUNKS) == list(OF_A_CHUNK)
    assert rows(IMAGES) == list(OF_AN_IMAGE)


@pytest.mark.parametrize("fault", OF_A_CHUNK)
def test_a_fault_of_a_chunk_costs_its_plane_and_says_why(served: Served, tmp_path: Path, fault: str) -> None:
    served.server.faults = {f"/source.zarr/0/{BAD.t}/{BAD.c}/{BAD.z}/0/0": repeat(OF_A_CHUNK[fault])}
    level = small_image(address=f"{served.server.url}/source.zarr", patience=HASTY).source.open()
    output = create_output(str(tmp_path / "image.ome.zarr"), level)
    results = list(segment_blocks(served.client, BlockTask(level, output, gaussian_threshold), [BLOCK]))
    (failure,) = (result for result in results if isinstance(result, PlaneFailure))
    assert failure.plane == BAD
    assert re.match(r"\w+Error: ", failure.reason)
    assert re.search(message_of(CHUNKS, fault), failure.reason)
    assert f"{level.url}/0/2/1/10/0/0" in failure.reason
    for plane in BLOCK.planes():
        stored, pixels = output.read(plane), PIXELS[plane.t, plane.c, plane.z]
        assert (stored is None) == (plane == BAD)
        if stored:
            np.testing.assert_array_equal(stored.pixels, pixels)
            np.testing.assert_array_equal(stored.labels, recipe(pixels))


@pytest.mark.parametrize("fault", OF_AN_IMAGE)
def test_an_image_with_a_fault_is_refused_and_says_why(served: Served, fault: str) -> None:
    spoilt = OF_AN_IMAGE[fault]

    def change(body: bytes) -> bytes:
        return json.dumps(json.loads(body) | spoilt.get("declared", {})).encode()

    served.server.faults = {"/source.zarr/0/.zarray": repeat(spoilt.get("fault", faults.changed(change)))}
    if "metadata" in spoilt:
        served.server.faults["/source.zarr/.zattrs"] = repeat(faults.replaced(json.dumps(spoilt["metadata"]).encode()))
    image = small_image(
        address=served.server.url.replace("http", spoilt.get("scheme", "http")) + spoilt.get("address", "/source.zarr"),
        patience=HASTY,
        **{name: spoilt[name] for name in ("level", "dtype") if name in spoilt},
    )
    with pytest.raises(ImageError, match=message_of(IMAGES, fault)):
        image.source.probe(checked(image), image.window)


def checked(image: Any) -> Any:  # noqa: ANN401
    level = image.source.open()
    image.source.check(level)
    return level
