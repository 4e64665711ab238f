"""Pixels that the output has of the image as it is now are not fetched again; no others are taken for them."""

from dataclasses import replace
from typing import Any

import pytest

from idr_assets.imaging.planes import Plane
from idr_assets.imaging.reading.fingerprint import read_fingerprint
from idr_assets.imaging.reading.level import open_level
from idr_assets.imaging.segmentation import gaussian_threshold, per_stack
from idr_assets_tests.support.damage import flip_bit
from idr_assets_tests.support.reused_pixels import BLOCK, chunk_requests, fill, keys, open_task
from idr_assets_tests.support.segmented_nuclei import PIXELS, Pixels, serve_nuclei
from idr_assets_tests.support.store_server import StoreServer


@pytest.mark.parametrize("pixels", [PIXELS, PIXELS > 600], ids=["image", "mask"])
def test_the_same_planes_are_fetched_once_for_all_segmentations(server: StoreServer, pixels: Pixels) -> None:
    serve_nuclei(server, pixels)
    assert fill(server) == set()
    assert chunk_requests(server) == keys(*BLOCK.planes())
    for name in ("segmentation", "another"):
        assert fill(server, name=name) == set(BLOCK.planes())
        assert server.requests == []


def test_without_reuse_all_is_fetched_anew(server: StoreServer) -> None:
    serve_nuclei(server)
    for _ in range(2):
        assert fill(server, reuse=False) == set()
        assert chunk_requests(server) == keys(*BLOCK.planes())
    assert fill(server) == set(BLOCK.planes())


def test_the_function_gets_reused_pixels_as_the_image_stores_them(server: StoreServer) -> None:
    serve_nuclei(server)
    seen = []

    @per_stack
    def noting(planes: Any) -> Any:  # noqa: ANN401  dask
        seen.append(planes.dtype.str)
        return gaussian_threshold(planes)

    fill(server)
    found = replace(open_task(server), function=noting)(BLOCK)
    assert all(summary.reused for summary in found)
    assert set(seen) == {">u2"}


def test_of_a_mixed_block_the_rest_alone_is_fetched_at_once(server: StoreServer) -> None:
    serve_nuclei(server)
    stored = [Plane(1, 1, 2), Plane(2, 0, 1), Plane(2, 0, 3), Plane(3, 0, 4), Plane(3, 1, 4)]
    for plane in stored:
        fill(server, plane.block)
    server.latency = 0.1
    assert fill(server) == set(stored)
    assert chunk_requests(server) == keys(*BLOCK.planes()) - keys(*stored)
    assert server.peak_in_flight > 4  # no box without a stored plane is larger


SHARED: dict[str, tuple[dict[str, Any], int]] = {
    "chunks": ({"chunks": (2, 2, 3, 40, 50)}, 1),
    # Zarr asks for the index, and then for all chunks that it needs, in one range unless they lie far apart.
    "shards": ({"version": "0.5", "chunks": (1, 1, 1, 20, 25), "shards": (2, 2, 3, 40, 50)}, 2),
}


@pytest.mark.parametrize(("layout", "most"), SHARED.values(), ids=SHARED)
def test_what_holds_several_planes_is_fetched_once_a_block(
    server: StoreServer, layout: dict[str, Any], most: int
) -> None:
    serve_nuclei(server, PIXELS.astype("u2"), **layout)
    assert fill(server) == set()
    assert (len(chunk_requests(server)), max(chunk_requests(server).values())) == (4, most)
    assert fill(server) == set(BLOCK.planes())
    assert server.requests == []
    flip_bit(server.root / "output/0/c/2/1/3/0/0")
    together = {Plane(t, c, z) for t in (2, 3) for c in (0, 1) for z in (3, 4)}
    assert fill(server) == set(BLOCK.planes()) - together  # which come with the damaged one
    assert (len(chunk_requests(server)), max(chunk_requests(server).values())) == (1, most)


def test_an_image_that_changed_is_fetched_anew(server: StoreServer) -> None:
    serve_nuclei(server)
    fill(server)
    serve_nuclei(server, PIXELS[::-1])
    assert fill(server) == set()
    assert chunk_requests(server) == keys(*BLOCK.planes())
    assert fill(server) == set(BLOCK.planes())


def test_an_image_on_this_machine_is_always_read(server: StoreServer) -> None:
    serve_nuclei(server)
    level = open_level(str(server.root / "image.zarr"), "0")
    assert read_fingerprint(level).state is None


def test_pixels_made_up_for_missing_chunks_are_not_those_of_an_image_that_must_have_all(server: StoreServer) -> None:
    serve_nuclei(server)
    levels = [open_level(f"{server.url}/image.zarr", "0", missing_chunks=it) for it in ("zeros", "error")]
    found = [read_fingerprint(level) for level in levels]
    assert (len({it.digest for it in found}), len({it.state for it in found})) == (1, 2)
