"""Pixels that the output has of the image as it is now are not fetched again; no others are taken for them."""

import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from errno import ENOSPC
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.ndimage
import zarr
from distributed import Client
from zarr.storage import _local

from idr_assets.imaging.output.creation import create_output
from idr_assets.imaging.output.origins import create_origins
from idr_assets.imaging.planes import Block, Plane
from idr_assets.imaging.reading.fingerprint import read_fingerprint
from idr_assets.imaging.reading.level import open_level
from idr_assets.imaging.segmentation import gaussian_threshold, per_stack
from idr_assets.imaging.segmentation.block_task import BlockTask
from idr_assets.imaging.segmentation.blocks import segment_blocks
from idr_assets.imaging.segmentation.plane_results import PlaneSummary
from idr_assets_tests.support.damage import flip_bit
from idr_assets_tests.support.idr_stores import nuclei_plane, write_image
from idr_assets_tests.support.store_server import StoreServer

SHAPE = (4, 2, 5, 40, 50)
PIXELS = np.array([[[nuclei_plane(t, c, z, SHAPE[3:]) for z in range(5)] for c in range(2)] for t in range(4)], ">u2")
BLOCK = Block(range(1, 4), (1, 0), range(1, 5))


@pytest.fixture
def server(tmp_path: Path) -> Iterator[StoreServer]:
    """Serve the folder of the sources."""
    (tmp_path / "sources").mkdir()
    with StoreServer(tmp_path / "sources") as server:
        yield server


def write(server: StoreServer, pixels: Any = PIXELS, **layout: Any) -> None:  # noqa: ANN401  as write_image takes them
    shutil.rmtree(server.root / "image.zarr", ignore_errors=True)
    write_image(server.root / "image.zarr", pixels, **{"version": "0.4"} | layout)


def task_for(server: StoreServer, name: str = "segmentation", *, reuse: bool = True) -> BlockTask:
    """Open the image as it is now, and its output, whose requests do not count."""
    level = open_level(f"{server.url}/image.zarr", "0")
    output = create_output(str(server.root.parent / "output"), level, name)
    state = read_fingerprint(level).state
    assert state
    origins = create_origins(output, level, state, reuse=reuse)
    server.reset()
    return BlockTask(level, output, gaussian_threshold, origins=origins)


def run(server: StoreServer, block: Block = BLOCK, **options: Any) -> set[Plane]:  # noqa: ANN401  of task_for
    """Segment a block, check what is stored of it, and give the planes whose pixels came from the output."""
    task = task_for(server, **options)
    summaries = task(block)
    assert task.origins
    task.origins.note(block, [summary.origin for summary in summaries])
    pixels = open_level(str(server.root / "image.zarr"), "0").read(block)
    for plane, values in zip(block.planes(), pixels.reshape(-1, *SHAPE[3:]), strict=True):
        stored = task.output.read(plane)
        assert stored is not None
        np.testing.assert_array_equal(stored.pixels, values)
        smoothed = scipy.ndimage.gaussian_filter(values, 1)
        np.testing.assert_array_equal(stored.labels, scipy.ndimage.label(smoothed > 0.33 * smoothed.max())[0])
    return {summary.plane for summary in summaries if summary.reused}


def requests(server: StoreServer) -> Counter[str]:
    """Count the requests for each chunk or shard."""
    return Counter(path.removeprefix("/image.zarr/0/") for _, path in server.requests)


def keys(*planes: Plane) -> Counter[str]:
    return Counter(f"{plane.t}/{plane.c}/{plane.z}/0/0" for plane in planes)


def test_the_same_planes_are_fetched_once_for_all_segmentations(server: StoreServer) -> None:
    write(server)
    assert run(server) == set()
    assert requests(server) == keys(*BLOCK.planes())
    for name in ("segmentation", "another"):
        assert run(server, name=name) == set(BLOCK.planes())
        assert server.requests == []


def test_without_reuse_all_is_fetched_anew(server: StoreServer) -> None:
    write(server)
    for _ in range(2):
        assert run(server, reuse=False) == set()
        assert requests(server) == keys(*BLOCK.planes())
    assert run(server) == set(BLOCK.planes())


def test_the_function_gets_reused_pixels_as_the_image_stores_them(server: StoreServer) -> None:
    write(server)
    seen = []

    @per_stack
    def noting(planes: Any) -> Any:  # noqa: ANN401  dask
        seen.append(planes.dtype.str)
        return gaussian_threshold(planes)

    for _ in range(2):
        replace(task_for(server), function=noting)(BLOCK)
    assert set(seen) == {">u2"}


def test_pixels_of_a_mask_are_reused(server: StoreServer) -> None:
    write(server, PIXELS > 600)
    for known in (0, len(BLOCK)):
        task = task_for(server)
        summaries = task(BLOCK)
        assert task.origins
        task.origins.note(BLOCK, [summary.origin for summary in summaries])
        assert sum(summary.reused for summary in summaries) == known


def test_of_a_mixed_block_the_rest_alone_is_fetched_at_once(server: StoreServer) -> None:
    write(server)
    stored = [Plane(1, 1, 2), Plane(2, 0, 1), Plane(3, 0, 4), Plane(3, 1, 4)]
    for plane in stored:
        run(server, plane.block)
    server.latency = 0.1
    assert run(server) == set(stored)
    assert requests(server) == keys(*BLOCK.planes()) - keys(*stored)
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
    write(server, PIXELS.astype("u2"), **layout)
    assert run(server) == set()
    assert (len(requests(server)), max(requests(server).values())) == (4, most)
    assert run(server) == set(BLOCK.planes())
    assert server.requests == []
    flip_bit(server.root.parent / "output/0/c/2/1/3/0/0")
    together = {Plane(t, c, z) for t in (2, 3) for c in (0, 1) for z in (3, 4)}
    assert run(server) == set(BLOCK.planes()) - together  # which come with the damaged one
    assert (len(requests(server)), max(requests(server).values())) == (1, most)


def test_an_image_that_changed_is_fetched_anew(server: StoreServer) -> None:
    write(server)
    run(server)
    write(server, PIXELS[::-1])
    assert run(server) == set()
    assert requests(server) == keys(*BLOCK.planes())
    assert run(server) == set(BLOCK.planes())


def file(root: Path, array: str, plane: Plane) -> Path:
    return root / f"output/{array}/c/{plane.t}/{plane.c}/{plane.z}/0/0"


def at(plane: Plane) -> tuple[int, int, int]:
    return plane.t, plane.c, plane.z


def copy(root: Path, array: str, source: Plane, target: Plane) -> None:
    shutil.copy(file(root, array, source), file(root, array, target))


def spoil(root: Path, *planes: Plane) -> None:
    """Spoil the output of each plane, in another way each."""
    damaged, cut, gone, pixels_of_another, another, no_origin, good = planes
    flip_bit(file(root, "0", damaged))
    file(root, "0", cut).write_bytes(b"")
    file(root, "0", gone).unlink()
    copy(root, "0", good, pixels_of_another)
    copy(root, "0", good, another)
    origins = zarr.open_array(root / "output/origins", mode="r+")
    origins[at(another)] = origins[at(good)]
    origins[at(no_origin)] = 0


def test_planes_that_are_not_as_they_were_stored_are_fetched_and_they_alone(
    server: StoreServer, tmp_path: Path
) -> None:
    write(server)
    run(server)
    *spoilt, good = BLOCK.planes()[3:17:2]
    spoil(tmp_path, *spoilt, good)
    assert run(server) == set(BLOCK.planes()) - set(spoilt)
    assert requests(server) == keys(*spoilt)
    assert run(server) == set(BLOCK.planes())


def test_damaged_origins_cost_the_slices_of_their_timepoint_and_channel(server: StoreServer, tmp_path: Path) -> None:
    write(server)
    whole = Block(range(4), (0, 1), range(5))
    run(server, whole)
    flip_bit(tmp_path / "output/origins/c/2/1/0/0/0")
    damaged = {Plane(2, 1, z) for z in BLOCK.z}
    assert run(server) == set(BLOCK.planes()) - damaged
    assert requests(server) == keys(*damaged)
    assert run(server, whole) == set(whole.planes()) - {Plane(2, 1, 0)}


@pytest.mark.parametrize("damage", [False, True])
def test_origins_that_cannot_be_noted_are_told_once_and_fail_no_plane(
    server: StoreServer,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    damage: bool,  # noqa: FBT001
) -> None:
    write(server)
    run(server)
    if damage:
        flip_bit(server.root.parent / "output/origins/c/2/1/0/0/0")
    task = task_for(server, reuse=False)

    def refuse(path: Path, *arguments: object, **options: object) -> int:
        if "origins" in path.parts:
            raise OSError(ENOSPC, "No space left on device")
        return put(path, *arguments, **options)

    put: Callable[..., int] = _local._put  # noqa: SLF001
    monkeypatch.setattr(_local, "_put", refuse)
    with Client(processes=False, n_workers=1, threads_per_worker=2, dashboard_address="127.0.0.1:0") as client:
        found = list(segment_blocks(client, task, BLOCK.single_planes()))
    assert {type(result) for result in found} == {PlaneSummary}
    (told,) = [
        record.getMessage() for record in caplog.records if record.name == "idr_assets.imaging.segmentation.blocks"
    ]
    assert "The planes are stored, but their origins cannot be noted ([Errno 28] No space left on device)" in told


def test_origins_of_a_block_leave_those_of_others_alone(server: StoreServer) -> None:
    write(server)
    for plane in BLOCK.planes():
        assert run(server, plane.block) == set()
    assert run(server) == set(BLOCK.planes())
    assert server.requests == []


def test_an_image_on_this_machine_is_always_read(server: StoreServer) -> None:
    write(server)
    level = open_level(str(server.root / "image.zarr"), "0")
    assert read_fingerprint(level).state is None


def test_pixels_made_up_for_missing_chunks_are_not_those_of_an_image_that_must_have_all(server: StoreServer) -> None:
    write(server)
    levels = [open_level(f"{server.url}/image.zarr", "0", missing_chunks=it) for it in ("zeros", "error")]
    found = [read_fingerprint(level) for level in levels]
    assert (len({it.digest for it in found}), len({it.state for it in found})) == (1, 2)


@pytest.mark.parametrize("text", ["", "{}", '{"zarr_format": 3, "node_ty'])
def test_damaged_metadata_of_origins_are_made_anew(server: StoreServer, text: str) -> None:
    write(server)
    assert run(server) == set()
    (server.root.parent / "output/origins/zarr.json").write_text(text)
    assert run(server) == set(BLOCK.planes())
    assert requests(server) == {}
