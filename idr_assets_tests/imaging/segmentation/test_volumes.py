"""Functions of volumes: a plane has the labels of its whole volume, whichever planes are made."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from inspect import unwrap
from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
import numpy.typing as npt
import pytest
import scipy.ndimage
import zarr
from distributed import Client
from zarr.codecs import GzipCodec

from idr_assets.imaging.output.creation import create_output
from idr_assets.imaging.output.origins import create_origins
from idr_assets.imaging.planes import Block, Plane
from idr_assets.imaging.reading.level import open_level
from idr_assets.imaging.reading.retries import PATIENT, Patience
from idr_assets.imaging.segmentation import per_volume, versioned
from idr_assets.imaging.segmentation.block_task import BlockTask
from idr_assets.imaging.segmentation.blocks import segment_blocks
from idr_assets.imaging.segmentation.plane_results import PlaneFailure, PlaneSummary
from idr_assets.imaging.segmentation.works_on import works_on
from idr_assets_tests.support import store_faults as faults
from idr_assets_tests.support.idr_stores import write_image
from idr_assets_tests.support.small_image import PIXELS, SHAPE
from idr_assets_tests.support.store_server import StoreServer

type Pixels = npt.NDArray[Any]

WINDOW = Block(range(1, 3), (0, 1), range(3, 11))
LAUNCHED = [
    Plane(1, 0, 5).block,
    Block(range(1, 2), (0, 1), range(3, 11)),
    Block(range(1, 3), (1,), range(4, 6)),
    Block(range(2, 3), (0, 1), range(9, 11)),
    WINDOW,
]


@per_volume
def in_space(volume: Pixels, *, than: float = 1000) -> Pixels:
    """Label what is bright and joined in space, in steps of 3, changing the volume on the way."""
    assert volume.shape == SHAPE[2:]
    assert volume.dtype.isnative
    volume[:] = scipy.ndimage.gaussian_filter(volume, 1)
    return 3 * np.asarray(scipy.ndimage.label(volume > than)[0], np.uint16)


def expected(t: int, c: int) -> npt.NDArray[np.int32]:
    """Label a volume by scipy alone."""
    smoothed = scipy.ndimage.gaussian_filter(PIXELS[t, c].astype("u2"), 1)
    return np.asarray(scipy.ndimage.label(smoothed > 1000)[0], np.int32)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[StoreServer]:
    """Serve the small image."""
    write_image(tmp_path / "store/image.zarr", PIXELS, version="0.4")
    with StoreServer(tmp_path / "store") as server:
        yield server


def task_for(
    server: StoreServer, output: Path, *, image: str = "image.zarr", patience: Patience = PATIENT
) -> BlockTask:
    level = open_level(f"{server.url}/{image}", "0", patience=patience)
    return BlockTask(level, create_output(str(output), level), in_space)


def segment(client: Client, task: BlockTask, block: Block) -> dict[Plane, PlaneSummary | PlaneFailure]:
    found = segment_blocks(client, task, works_on(task.function).cut(block, task.level, 2))
    return {result.plane: result for result in found}


def chunk_requests(server: StoreServer) -> Counter[str]:
    return Counter(path for _, path in server.requests if path.rpartition("/")[2][:1].isdigit())


def check_labels(task: BlockTask, block: Block) -> None:
    for plane in block.planes():
        stored = task.output.read(plane)
        assert stored
        np.testing.assert_array_equal(stored.pixels, PIXELS[plane.t, plane.c, plane.z])
        np.testing.assert_array_equal(stored.labels, expected(plane.t, plane.c)[plane.z])


def test_the_expected_labels_are_none_of_planes() -> None:
    labels = expected(1, 0)
    assert any(len(np.unique(plane)) <= plane.max() for plane in labels)
    assert any(np.intersect1d(labels[z], labels[z + 1])[1:].size for z in range(11))


@pytest.mark.parametrize("block", LAUNCHED, ids=lambda block: f"{len(block)} planes")
def test_a_plane_has_the_labels_of_its_volume_whichever_planes_are_launched(
    client: Client, server: StoreServer, tmp_path: Path, block: Block
) -> None:
    task = task_for(server, tmp_path / "output")
    found = segment(client, task, block)
    assert sorted(found) == sorted(block.planes())
    assert set(chunk_requests(server).values()) == {1}
    assert len(chunk_requests(server)) == len(block.t) * len(block.c) * SHAPE[2]
    check_labels(task, block)
    for plane, summary in found.items():
        assert isinstance(summary, PlaneSummary)
        assert summary.objects == len(np.unique(expected(plane.t, plane.c)[plane.z])) - 1
    assert not any(task.output.read(plane) for plane in set(WINDOW.planes()) - set(block.planes()))


@pytest.mark.parametrize("chunks", [(2, 2, 5, 40, 36), (1, 2, 12, 17, 36), (3, 1, 1, 40, 36)])
def test_a_chunk_of_many_planes_is_read_once(
    client: Client, server: StoreServer, tmp_path: Path, chunks: tuple[int, ...]
) -> None:
    write_image(server.root / "other.zarr", PIXELS, version="0.4", chunks=chunks)
    task = task_for(server, tmp_path / "output", image="other.zarr")
    segment(client, task, WINDOW)
    assert set(chunk_requests(server).values()) == {1}
    check_labels(task, WINDOW)


def test_stored_planes_of_a_volume_are_not_fetched_again(client: Client, server: StoreServer, tmp_path: Path) -> None:
    task = task_for(server, tmp_path / "output")
    task = replace(task, origins=create_origins(task.output, task.level, "as it is", reuse=True))
    segment(client, task, LAUNCHED[1])
    server.reset()
    found = segment(client, task, Plane(1, 1, 4).block)
    assert len(chunk_requests(server)) == SHAPE[2] - len(LAUNCHED[1].z)
    assert [it.reused for it in found.values() if isinstance(it, PlaneSummary)] == [True]
    check_labels(task, LAUNCHED[1])


def test_a_missing_plane_costs_those_of_its_volume_and_is_named(
    client: Client, server: StoreServer, tmp_path: Path
) -> None:
    (server.root / "image.zarr/0/2/1/0/0/0").unlink()  # outside of the window
    task = task_for(server, tmp_path / "output")
    failures = [it for it in segment(client, task, WINDOW).values() if isinstance(it, PlaneFailure)]
    assert {failure.plane for failure in failures} == {Plane(2, 1, z) for z in WINDOW.z}
    assert chunk_requests(server)["/image.zarr/0/2/1/0/0/0"] == 2  # and not for each plane of the volume
    (reason,) = {failure.reason for failure in failures}
    assert "is missing, so t 2 c 1 z 0 has no pixels" in reason
    assert reason.endswith(
        "read for the whole volume, which is all slices of the image, even those outside of `window`"
    )
    check_labels(task, Block(range(1, 2), (0, 1), WINDOW.z))


def test_a_plane_that_cannot_be_decoded_is_named(client: Client, server: StoreServer, tmp_path: Path) -> None:
    layout: dict[str, Any] = {"chunks": (1, 1, 1, 40, 36), "shards": (1, 1, 4, 40, 36), "compressors": GzipCodec()}
    write_image(server.root / "other.zarr", PIXELS, version="0.5")
    array = zarr.create_array(server.root / "other.zarr/0", shape=SHAPE, dtype="u2", overwrite=True, **layout)
    array[:] = PIXELS
    shard = server.root / "other.zarr/0/c/1/0/1/0/0"
    body = bytearray(shard.read_bytes())
    start, length = np.frombuffer(body[-68:-4], "<u8").reshape(4, 2)[2]  # of the chunk of z 6
    body[start : start + length] = bytes(int(length))
    shard.write_bytes(body)
    task = task_for(server, tmp_path / "output", image="other.zarr", patience=Patience(tries=2, wait=0.1))
    (failure,) = segment(client, task, Plane(1, 0, 3).block).values()
    assert isinstance(failure, PlaneFailure)
    assert failure.reason.startswith("ImageError: A chunk of t 1 c 0 z 6, ")


def test_a_fault_that_passes_costs_nothing(client: Client, server: StoreServer, tmp_path: Path) -> None:
    server.faults["*/0/1/0/7/0/0"] = [faults.status(404)]
    task = task_for(server, tmp_path / "output")
    (summary,) = segment(client, task, Plane(1, 0, 3).block).values()
    assert isinstance(summary, PlaneSummary)
    check_labels(task, Plane(1, 0, 3).block)


def brightest(volumes: da.Array, *, than: float = 1000) -> da.Array:
    zeros: da.Array = volumes.max(axis=(1, 2, 3)) * 0
    return zeros + than  # type: ignore[no-any-return]


def test_the_threshold_of_a_volume_is_that_of_its_planes(client: Client, server: StoreServer, tmp_path: Path) -> None:
    own = versioned("1", thresholds=brightest)(per_volume(unwrap(in_space)))
    task = replace(task_for(server, tmp_path / "output"), function=own)
    found = segment(client, task, Block(range(1, 3), (0,), range(4, 6)))
    assert [it.threshold for it in found.values() if isinstance(it, PlaneSummary)] == [1000] * 4
