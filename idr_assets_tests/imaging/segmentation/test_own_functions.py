"""Functions of users on a cluster: those that fail, and those whose labels are none."""

import sys
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import scipy.ndimage
from distributed import Client

from idr_assets.imaging.planes import Block, Plane
from idr_assets.imaging.segmentation import per_plane, per_stack
from idr_assets.imaging.segmentation.lifting import SegmentationFunction
from idr_assets.imaging.segmentation.plane_results import PlaneFailure, PlaneSummary
from idr_assets_tests.support.idr_stores import nuclei_plane, write_image
from idr_assets_tests.support.segmented_nuclei import SHAPE, WINDOW, segment, serve_nuclei, task_for
from idr_assets_tests.support.store_server import StoreServer

PLANE = Plane(0, 0, 0)


@per_plane
def has_no_memory_once(plane: npt.NDArray[Any], *, seen: str) -> npt.NDArray[np.int64]:
    if not Path(seen).exists():
        Path(seen).touch()
        message = "for once"
        raise MemoryError(message)
    return np.asarray(plane > 150, np.int64)


def test_a_block_of_one_plane_is_tried_again_once(client: Client, server: StoreServer, tmp_path: Path) -> None:
    task = task_for(serve_nuclei(server), tmp_path / "output.ome.zarr", function=has_no_memory_once)
    (found,) = segment(client, replace(task, parameters={"seen": str(tmp_path / "seen")}), PLANE.block)
    assert isinstance(found, PlaneSummary)
    server.reset()
    (failure,) = segment(client, replace(task, parameters={"seen": str(tmp_path / "no/folder")}), PLANE.block)
    assert isinstance(failure, PlaneFailure)
    assert "no/folder" in failure.reason
    assert f", in has_no_memory_once, {__file__}:" in failure.reason
    assert server.requests == [("GET", "/image.zarr/0/0/0/0/0/0")] * 2


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
    task = task_for(serve_nuclei(server), tmp_path / "output.ome.zarr", function=raises_what_no_pickle_takes)
    with caplog.at_level("WARNING", "distributed.worker"):
        (failure,) = segment(client, task, PLANE.block)
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
    task = task_for(serve_nuclei(server), tmp_path / "output.ome.zarr", function=ends_the_program)
    (failure,) = (result for result in segment(client, task, WINDOW) if isinstance(result, PlaneFailure))
    assert failure.plane == Plane(2, 1, 3)
    assert failure.reason.startswith("RuntimeError: ends_the_program raised SystemExit('so it is'), which ends a")


@per_plane
def all_above_150(plane: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    return np.asarray(plane > 150, np.int64)


def test_a_users_own_function_has_no_threshold(client: Client, server: StoreServer, tmp_path: Path) -> None:
    task = task_for(serve_nuclei(server), tmp_path / "output.ome.zarr", function=all_above_150)
    (found,) = segment(client, task, PLANE.block)
    assert isinstance(found, PlaneSummary)
    expected = float(np.mean(nuclei_plane(0, 0, 0, SHAPE[3:]) > 150))
    assert (found.objects, found.threshold, found.foreground) == (1, None, expected)


@per_stack
def transposed(planes: Any) -> Any:  # noqa: ANN401  what users write
    return planes.transpose(0, 2, 1).astype(np.int32)


@per_stack
def numbered_through_the_stack(planes: Any) -> Any:  # noqa: ANN401
    within = np.indices((3, 3, 3))[0] == 1
    return planes.map_blocks(lambda stack: scipy.ndimage.label(stack > 0.5, within)[0], dtype=np.int32)


@per_stack
def of_one_plane(plane: Any) -> Any:  # noqa: ANN401
    return scipy.ndimage.label(scipy.ndimage.gaussian_filter(plane, 1) > 5)[0]


NO_LABELS = {
    transposed: "must return integer labels of shape",
    of_one_plane: "returned ndarray for a stack of planes .*, write @per_plane above it",
}


@pytest.mark.parametrize(("function", "said"), NO_LABELS.items())
def test_what_is_no_label_plane_is_never_stored(function: SegmentationFunction, said: str, tmp_path: Path) -> None:
    pixels = np.arange(2 * 6 * 8, dtype=np.uint16).reshape(1, 1, 2, 6, 8)
    write_image(tmp_path / "source.zarr", pixels, version="0.4")
    task = task_for(str(tmp_path / "source.zarr"), tmp_path / "output", function=function)
    with pytest.raises((TypeError, ValueError), match=f"{function.__name__} {said}"):
        task(Block(range(1), (0,), range(2)))
    assert task.output.read(Plane(0, 0, 0)) is None


def test_labels_are_numbered_within_each_plane_whatever_the_function_does(tmp_path: Path) -> None:
    write_image(tmp_path / "source.zarr", np.random.default_rng(0).random((1, 1, 3, 20, 20)), version="0.4")
    block = Block(range(1), (0,), range(3))
    task = task_for(str(tmp_path / "source.zarr"), tmp_path / "output", function=numbered_through_the_stack)
    found = replace(task, compared=frozenset([block]))(block)
    assert [summary.compared for summary in found] == [True, True, True]
    for summary in found:
        stored = task.output.read(summary.plane)
        assert stored is not None
        assert np.unique(stored.labels).tolist() == list(range(summary.objects + 1))
