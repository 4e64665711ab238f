"""Runs of an image on a server: pixels that the output has are not fetched again, and the log tells so."""

from collections.abc import Iterator

import numpy as np
import pytest
import yaozarrs

from idr_assets_tests.support.idr_stores import write_image
from idr_assets_tests.support.small_image import FIELDS, PARTITIONS, PIXELS, PLANES, Segmented, recipe
from idr_assets_tests.support.store_server import StoreServer

SEVERAL = "{low: {}, high: {parameters: {threshold_fraction: 0.7}}}"


@pytest.fixture
def server(fresh: Segmented) -> Iterator[StoreServer]:
    """Serve the small image, which `fresh` reads from there."""
    with StoreServer(fresh.project.root / "data") as server:
        yield server


def fetched(fresh: Segmented, server: StoreServer, asset: str = "plane_labels", **fields: str) -> int:
    """Segment the window, check the labels of the last partition, and count the requests for chunks."""
    fresh.project.write(**FIELDS | {"url": f"{server.url}/source.zarr"} | fields)
    server.reset()
    assert fresh.run(asset, PARTITIONS[0], PARTITIONS[-1]) == ""
    return sum(path.rpartition("/")[2].isdigit() for _, path in server.requests)


def told(fresh: Segmented) -> list[str]:
    """Give what the last run's log says of pixels that were read from the output."""
    (run,) = fresh.instance.get_runs(limit=1)
    messages = [entry.user_message for entry in fresh.instance.all_logs(run.run_id)]
    return [message for message in messages if message.startswith("pixels of")]


def test_a_rerun_and_another_segmentation_fetch_no_pixels_and_the_log_tells_so(
    fresh: Segmented, server: StoreServer
) -> None:
    probed = len(PLANES) + 1
    assert (fetched(fresh, server), told(fresh)) == (probed, [])
    assert fetched(fresh, server) == 0
    (message,) = told(fresh)
    assert message.startswith("pixels of 8 of 8 planes were read from ")
    assert fetched(fresh, server, "high/plane_labels", segmentations=SEVERAL) == 0
    assert np.array_equal(fresh.value("high/plane_labels", "2|10"), [recipe(PIXELS[2, c, 10], 1, 0.7) for c in (0, 1)])
    assert (fetched(fresh, server, reuse_pixels="false"), told(fresh)) == (probed, [])


def test_pixels_of_an_image_that_changed_are_not_reused(fresh: Segmented, server: StoreServer) -> None:
    fetched(fresh, server, format='"0.4"')
    yaozarrs.validate_zarr_store(server.root / "image.ome.zarr")
    (server.root / "source.zarr").rename(server.root / "former.zarr")
    write_image(server.root / "source.zarr", PIXELS[::-1], version="0.4")
    assert (fetched(fresh, server, format='"0.4"'), told(fresh)) == (len(PLANES) + 1, [])
    assert fetched(fresh, server, format='"0.4"') == 0
    assert np.array_equal(fresh.value("plane_labels", "2|10"), [recipe(PIXELS[0, c, 10]) for c in (0, 1)])
