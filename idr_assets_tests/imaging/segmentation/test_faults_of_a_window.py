"""A whole window under random faults: each plane is what it is without faults, or a failure that is not stored."""

from collections.abc import Iterator
from itertools import repeat
from typing import NamedTuple

import numpy as np
import pytest
from distributed import Client
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from idr_assets.imaging.output.creation import create_output
from idr_assets.imaging.planes import Block, Plane
from idr_assets.imaging.reading.level import Level, open_level
from idr_assets.imaging.reading.retries import Patience
from idr_assets.imaging.segmentation.block_task import BlockTask
from idr_assets.imaging.segmentation.blocks import segment_blocks
from idr_assets.imaging.segmentation.functions import gaussian_threshold
from idr_assets.imaging.segmentation.plane_results import PlaneFailure
from idr_assets_tests.support import store_faults as faults
from idr_assets_tests.support.idr_stores import nuclei_plane, write_image
from idr_assets_tests.support.small_image import recipe
from idr_assets_tests.support.store_faults import Fault
from idr_assets_tests.support.store_server import StoreServer

WINDOW = Block(range(10), (0,), range(20))
SHAPE = (24, 20)
PIXELS = {plane: nuclei_plane(plane.t, plane.c, plane.z, SHAPE) for plane in WINDOW.planes()}
REASONS = {"ImageError", "AnswerError", "MissingChunkError", "RefusedError"}
QUICK = Patience(tries=3, timeout=10, wait=0.01)

PASSING = [faults.status(429), faults.status(503), faults.connection_reset, faults.cut, faults.truncated]
PASSING += [faults.empty, faults.random_bytes, faults.html_page]
STAYING = [*PASSING, faults.status(403), faults.status(404), faults.status(410), faults.redirect("file://")]

passes = st.lists(st.sampled_from(PASSING), min_size=1, max_size=QUICK.tries - 1)


class Served(NamedTuple):
    """An image of 200 planes behind a server, with a cluster that segments them."""

    server: StoreServer
    level: Level
    client: Client


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    root = tmp_path_factory.mktemp("store")
    pixels = np.reshape(list(PIXELS.values()), (10, 1, 20, *SHAPE))
    write_image(root / "image.zarr", pixels, version="0.4")
    cluster = {"processes": False, "n_workers": 1, "threads_per_worker": 2, "dashboard_address": "127.0.0.1:0"}
    with StoreServer(root) as server, Client(**cluster) as client:
        yield Served(server, open_level(f"{server.url}/image.zarr", "0", patience=QUICK), client)


def key(plane: Plane) -> str:
    return f"/image.zarr/0/{plane.t}/{plane.c}/{plane.z}/0/0"


@settings(
    max_examples=4,  # each takes seconds: 200 planes, many of them twice
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking would take minutes
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    passing=st.dictionaries(st.sampled_from(WINDOW.planes()), passes, min_size=20, max_size=100),
    staying=st.dictionaries(st.sampled_from(WINDOW.planes()), st.sampled_from(STAYING), max_size=2),
    most=st.sampled_from([10, 20]),
)
def test_each_plane_is_right_or_fails_and_is_not_stored(
    served: Served,
    tmp_path_factory: pytest.TempPathFactory,
    passing: dict[Plane, list[Fault]],
    staying: dict[Plane, Fault],
    most: int,
) -> None:
    output = create_output(str(tmp_path_factory.mktemp("output") / "image.ome.zarr"), served.level)
    task = BlockTask(served.level, output, gaussian_threshold)
    served.server.faults = {key(plane): drawn for plane, drawn in passing.items()}
    served.server.faults |= {key(plane): repeat(fault) for plane, fault in staying.items()}
    found = list(segment_blocks(served.client, task, WINDOW.cut(served.level.chunks, most)))
    assert sorted(result.plane for result in found) == WINDOW.planes()
    failures = {result.plane: result.reason for result in found if isinstance(result, PlaneFailure)}
    assert set(failures) == set(staying)
    assert [plane for plane, reason in failures.items() if key(plane) not in reason] == []
    assert {reason.partition(": ")[0] for reason in failures.values()} <= REASONS
    rows = [output.read_grid([t], WINDOW.c, WINDOW.z) for t in WINDOW.t]  # one fetch for a row of which all is there
    for plane, stored in ((Plane(*where), stored) for row in rows for where, stored in row.items()):
        assert (stored is None) == (plane in staying)
        if stored:
            np.testing.assert_array_equal(stored.pixels, PIXELS[plane])
            np.testing.assert_array_equal(stored.labels, recipe(PIXELS[plane]))
