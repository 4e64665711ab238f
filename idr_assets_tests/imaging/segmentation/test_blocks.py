"""Segmenting blocks on a cluster: the notebook's labels, each chunk fetched once, one bad plane for one bad plane."""

import pickle
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from itertools import product
from pathlib import Path
from threading import Lock
from typing import Any, Literal

import dask
import dask.array as da
import dask_image.ndfilters
import dask_image.ndmeasure
import numpy as np
import numpy.typing as npt
import pytest
import scipy.ndimage
from distributed import Client

from benchmarks.large_plane import MOST_BYTES, bytes_of_large_plane
from idr_assets.imaging.output import creation
from idr_assets.imaging.output.creation import create_output
from idr_assets.imaging.planes import Block, Plane, block_size
from idr_assets.imaging.reading.level import open_level
from idr_assets.imaging.segmentation import gaussian_threshold, per_plane, per_stack
from idr_assets.imaging.segmentation.block_task import BlockTask
from idr_assets.imaging.segmentation.blocks import segment_blocks
from idr_assets.imaging.segmentation.lifting import SegmentationFunction
from idr_assets.imaging.segmentation.plane_results import PlaneFailure, PlaneSummary
from idr_assets_tests.support.damage import damage_writes
from idr_assets_tests.support.idr_stores import nuclei_plane, write_idr_store, write_image
from idr_assets_tests.support.store_server import StoreServer

SHAPE = (4, 2, 5, 40, 50)
WINDOW = Block(range(1, 4), (1,), range(1, 5))
IDR_WINDOW = Block(range(261, 271), (0,), range(489, 499))


@pytest.fixture
def server(tmp_path: Path) -> Iterator[StoreServer]:
    """Serve the folder of the sources."""
    (tmp_path / "sources").mkdir()
    with StoreServer(tmp_path / "sources") as server:
        yield server


@cache
def recipe(plane: Plane, shape: tuple[int, int]) -> npt.NDArray[np.int32]:
    """Label a plane of `nuclei_plane` as the notebook does."""
    pixels = da.from_array(nuclei_plane(plane.t, plane.c, plane.z, shape))
    with dask.config.set(scheduler="synchronous"):  # not on the cluster under test
        smoothed = dask_image.ndfilters.gaussian_filter(pixels, sigma=[1, 1])
        threshold = 0.33 * da.max(smoothed).compute()
        labels, _ = dask_image.ndmeasure.label(smoothed > threshold)
        found: npt.NDArray[np.int32] = labels.compute()
    return found


def small_image(server: StoreServer, **layout: Any) -> str:  # noqa: ANN401  as write_image takes it
    """Serve an image of which every plane is a `nuclei_plane`."""
    planes = [nuclei_plane(t, c, z, SHAPE[3:]) for t, c, z in product(*map(range, SHAPE[:3]))]
    write_image(server.root / "image.zarr", np.reshape(planes, SHAPE), **{"version": "0.4"} | layout)
    return f"{server.url}/image.zarr"


def task_for(
    url: str, output: Path, level: str = "0", function: Callable[..., da.Array] = gaussian_threshold
) -> BlockTask:
    opened = open_level(url, level)
    return BlockTask(opened, create_output(str(output), opened), function)


def segment(client: Client, task: BlockTask, window: Block) -> list[PlaneSummary | PlaneFailure]:
    size = block_size(task.level.plane_shape, len(window), 2)
    return list(segment_blocks(client, task, window.cut(task.level.chunks, size)))


def chunk_requests(server: StoreServer) -> Counter[str]:
    return Counter(path for _, path in server.requests if path.rpartition("/")[2][:1].isdigit())


def check_labels(task: BlockTask, window: Block) -> None:
    for plane in window.planes():
        stored = task.output.read(plane)
        assert stored is not None
        np.testing.assert_array_equal(stored.pixels, nuclei_plane(plane.t, plane.c, plane.z, task.level.plane_shape))
        np.testing.assert_array_equal(stored.labels, recipe(plane, task.level.plane_shape))


@pytest.mark.parametrize("version", ["0.1", "0.4"])
def test_the_idr_window_gets_the_notebooks_labels_and_each_plane_is_fetched_once(
    client: Client, server: StoreServer, tmp_path: Path, version: Literal["0.1", "0.4"]
) -> None:
    image = write_idr_store(server.root, version=version, t=IDR_WINDOW.t, c=IDR_WINDOW.c, z=IDR_WINDOW.z)
    task = task_for(f"{server.url}/{image.relative_to(server.root)}", tmp_path / "output.ome.zarr", "4")
    server.reset()
    server.latency = 0.05
    found = segment(client, task, IDR_WINDOW)
    assert sorted(result.plane for result in found) == IDR_WINDOW.planes()
    assert list(chunk_requests(server).values()) == [1] * 100
    assert len(server.requests) == 100
    assert server.peak_in_flight > 1
    check_labels(task, IDR_WINDOW)


LAYOUTS: dict[str, dict[str, Any]] = {
    "a plane a chunk": {},
    "planes cut": {"chunks": (1, 1, 1, 17, 23)},
    "many planes a chunk": {"chunks": (2, 2, 3, 40, 50)},
    "sharded": {"version": "0.5", "chunks": (1, 1, 1, 20, 25), "shards": (1, 2, 5, 40, 50)},
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_labels_do_not_depend_on_chunks(
    client: Client, server: StoreServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, layout: str
) -> None:
    monkeypatch.setattr(creation, "LONGEST_CHUNK", 16)  # so that planes are segmented in pieces
    task = task_for(small_image(server, **LAYOUTS[layout]), tmp_path / "output.ome.zarr")
    server.reset()
    assert len(segment(client, task, WINDOW)) == len(WINDOW)
    check_labels(task, WINDOW)
    if layout != "sharded":  # of which Zarr reads parts
        assert set(chunk_requests(server).values()) == {1}


def test_a_plane_that_is_damaged_after_it_was_written_is_a_failure(
    client: Client, server: StoreServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    damage_writes(monkeypatch, Plane(2, 1, 3), times=2)
    task = task_for(small_image(server), tmp_path / "output.ome.zarr")
    found = segment(client, task, WINDOW)
    (failure,) = (result for result in found if isinstance(result, PlaneFailure))
    assert (failure.plane, failure.written) == (Plane(2, 1, 3), True)
    assert failure.reason.startswith("NotAsWrittenError: t 2 c 1 z 3 was written to file://")
    assert task.output.read(failure.plane) is None
    assert sorted(result.plane for result in found) == WINDOW.planes()


def test_a_plane_that_is_damaged_once_is_written_again(
    client: Client, server: StoreServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    damage_writes(monkeypatch, Plane(2, 1, 3), times=1)
    task = task_for(small_image(server), tmp_path / "output.ome.zarr")
    found = segment(client, task, WINDOW)
    assert sorted(result.plane for result in found if isinstance(result, PlaneSummary)) == WINDOW.planes()
    check_labels(task, WINDOW)


def test_a_large_plane_takes_some_twenty_bytes_a_pixel() -> None:
    assert bytes_of_large_plane(4096) < MOST_BYTES


@pytest.mark.parametrize(("dtype", "saturated"), [("uint8", 0.25), (">i2", 0.25), ("float32", None)])
def test_saturated_pixels_are_those_at_the_largest_integer(tmp_path: Path, dtype: str, saturated: float | None) -> None:
    plane = np.zeros((1, 1, 1, 8, 8), dtype)
    plane[..., :4, :4] = np.iinfo(dtype).max if saturated else 1e9
    write_image(tmp_path / "image.zarr", plane, version="0.4")
    (found,) = task_for(str(tmp_path / "image.zarr"), tmp_path / "output")(Block(range(1), (0,), range(1)))
    assert (found.objects, found.saturated) == (1, saturated)


def test_a_missing_chunk_costs_one_plane(client: Client, server: StoreServer, tmp_path: Path) -> None:
    url = small_image(server)
    (server.root / "image.zarr/0/2/1/3/0/0").unlink()
    task = task_for(url, tmp_path / "output.ome.zarr")
    found = segment(client, task, WINDOW)
    (failure,) = (result for result in found if isinstance(result, PlaneFailure))
    assert (failure.plane, failure.written) == (Plane(2, 1, 3), False)
    assert failure.reason.startswith(
        f"MissingChunkError: The chunk {url}/0/2/1/3/0/0 is missing, so t 2 c 1 z 3 has no pixels"
    )
    assert sorted(result.plane for result in found) == WINDOW.planes()
    assert task.output.read(Plane(2, 1, 3)) is None
    for plane in set(WINDOW.planes()) - {failure.plane}:
        check_labels(task, Block(range(plane.t, plane.t + 1), (plane.c,), range(plane.z, plane.z + 1)))


@per_plane
def has_no_memory_once(plane: npt.NDArray[Any], *, seen: str) -> npt.NDArray[np.int64]:
    if not Path(seen).exists():
        Path(seen).touch()
        message = "for once"
        raise MemoryError(message)
    return np.asarray(plane > 150, np.int64)


def test_a_block_of_one_plane_is_tried_again_once(client: Client, server: StoreServer, tmp_path: Path) -> None:
    task = task_for(small_image(server), tmp_path / "output.ome.zarr", function=has_no_memory_once)
    plane = Block(range(1), (0,), range(1))
    (found,) = segment(client, replace(task, parameters={"seen": str(tmp_path / "seen")}), plane)
    assert isinstance(found, PlaneSummary)
    server.reset()
    (failure,) = segment(client, replace(task, parameters={"seen": str(tmp_path / "no/folder")}), plane)
    assert isinstance(failure, PlaneFailure)
    assert "no/folder" in failure.reason
    assert f", in has_no_memory_once, {__file__}:" in failure.reason
    assert list(chunk_requests(server).values()) == [2]


class NoPickleError(Exception):
    """What no pickle takes."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.lock = Lock()


@per_plane
def raises_what_no_pickle_takes(plane: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    message = f"no labels of {plane.shape}"
    raise NoPickleError(message)


def test_a_failure_is_told_by_the_run_alone_whatever_error_it_is(
    client: Client, server: StoreServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    task = task_for(small_image(server), tmp_path / "output.ome.zarr", function=raises_what_no_pickle_takes)
    with caplog.at_level("WARNING", "distributed.worker"):
        (failure,) = segment(client, task, Block(range(1), (0,), range(1)))
    assert isinstance(failure, PlaneFailure)
    assert failure.reason.startswith(f"NoPickleError: no labels of {SHAPE[3:]}, in raises_what_no_pickle_takes, ")
    assert not caplog.records


@per_plane
def ends_the_program(plane: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    if np.array_equal(plane, nuclei_plane(2, 1, 3, SHAPE[3:])):
        sys.exit("so it is")
    return np.asarray(plane > 150, np.int64)


def test_a_function_that_ends_the_program_fails_as_any_other(
    client: Client, server: StoreServer, tmp_path: Path
) -> None:
    task = task_for(small_image(server), tmp_path / "output.ome.zarr", function=ends_the_program)
    (failure,) = (result for result in segment(client, task, WINDOW) if isinstance(result, PlaneFailure))
    assert failure.plane == Plane(2, 1, 3)
    assert failure.reason.startswith("RuntimeError: ends_the_program raised SystemExit('so it is'), which ends a")


def test_summaries_say_what_is_in_the_plane(client: Client, server: StoreServer, tmp_path: Path) -> None:
    task = task_for(small_image(server), tmp_path / "output.ome.zarr")
    for found in segment(client, task, Block(range(2), (1, 0), range(2))):
        assert isinstance(found, PlaneSummary)
        plane = nuclei_plane(found.plane.t, found.plane.c, found.plane.z, SHAPE[3:])
        smoothed = scipy.ndimage.gaussian_filter(plane, 1)
        labels, objects = scipy.ndimage.label(smoothed > 0.33 * smoothed.max())
        assert (found.objects, found.minimum, found.maximum) == (objects, float(plane.min()), float(plane.max()))
        assert found.saturated == 0
        assert (found.threshold, found.foreground) == pytest.approx((0.33 * smoothed.max(), np.mean(labels > 0)))
        assert found.seconds > 0


@per_plane
def all_above_150(plane: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    return np.asarray(plane > 150, np.int64)


def test_a_users_own_function_has_no_threshold(client: Client, server: StoreServer, tmp_path: Path) -> None:
    task = task_for(small_image(server), tmp_path / "output.ome.zarr", function=all_above_150)
    (found,) = segment(client, task, Block(range(1), (0,), range(1)))
    assert isinstance(found, PlaneSummary)
    expected = float(np.mean(nuclei_plane(0, 0, 0, SHAPE[3:]) > 150))
    assert (found.objects, found.threshold, found.foreground) == (1, None, expected)


def test_a_task_carries_no_pixels(server: StoreServer, tmp_path: Path) -> None:
    task = task_for(small_image(server), tmp_path / "output.ome.zarr")
    assert len(pickle.dumps(task)) < 10_000


@per_stack
def transposed(planes: Any) -> Any:  # noqa: ANN401  what users write
    return planes.transpose(0, 2, 1).astype(np.int32)


@per_stack
def fractions(planes: Any) -> Any:  # noqa: ANN401
    return planes * 1.5


@per_stack
def below_zero(planes: Any) -> Any:  # noqa: ANN401
    return planes.astype(np.int32) * 0 - 1


@per_stack
def numbered_through_the_stack(planes: Any) -> Any:  # noqa: ANN401
    within = np.indices((3, 3, 3))[0] == 1
    return planes.map_blocks(lambda stack: scipy.ndimage.label(stack > 0.5, within)[0], dtype=np.int32)


@per_stack
def of_one_plane(plane: Any) -> Any:  # noqa: ANN401
    return scipy.ndimage.label(scipy.ndimage.gaussian_filter(plane, 1) > 5)[0]


NO_LABELS = {
    transposed: "must return integer labels of shape",
    fractions: "must return integer labels of shape",
    below_zero: "must return integer labels of shape",
    of_one_plane: "returned ndarray for a stack of planes .*, write @per_plane above it",
}


@pytest.mark.parametrize(("function", "said"), NO_LABELS.items())
def test_what_is_no_label_plane_is_never_stored(function: SegmentationFunction, said: str, tmp_path: Path) -> None:
    pixels = np.arange(2 * 6 * 8, dtype=np.uint16).reshape(1, 1, 2, 6, 8)
    write_image(tmp_path / "source.zarr", pixels, version="0.4")
    level = open_level(str(tmp_path / "source.zarr"), "0")
    task = BlockTask(level, create_output(str(tmp_path / "output"), level), function)
    with pytest.raises((TypeError, ValueError), match=f"{function.__name__} {said}"):
        task(Block(range(1), (0,), range(2)))
    assert task.output.read(Plane(0, 0, 0)) is None


def test_labels_are_numbered_within_each_plane_whatever_the_function_does(tmp_path: Path) -> None:
    write_image(tmp_path / "source.zarr", np.random.default_rng(0).random((1, 1, 3, 20, 20)), version="0.4")
    level = open_level(str(tmp_path / "source.zarr"), "0")
    block = Block(range(1), (0,), range(3))
    output = create_output(str(tmp_path / "output"), level)
    found = BlockTask(level, output, numbered_through_the_stack, compared=frozenset([block]))(block)
    assert [summary.compared for summary in found] == [True, False, True]
    for summary in found:
        stored = output.read(summary.plane)
        assert stored is not None
        assert np.unique(stored.labels).tolist() == list(range(summary.objects + 1))
