"""Functions with a model: it is loaded once a process, and labels depend neither on batches nor on blocks."""

import re
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import pytest
import scipy.ndimage
from distributed import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from idr_assets.imaging.planes import Block, Plane
from idr_assets.imaging.reading.source import Source
from idr_assets.imaging.segmentation import per_batch, versioned
from idr_assets.imaging.segmentation.label_numbers import Labels, Pixels
from idr_assets.imaging.segmentation.labelling import label
from idr_assets.imaging.segmentation.model_log import describe_models
from idr_assets.imaging.segmentation.models import loading
from idr_assets.imaging.segmentation.models.batches import label_stack
from idr_assets.imaging.segmentation.models.weights import WeightsError
from idr_assets.imaging.segmentation.plane_results import PlaneFailure, PlaneSummary, Result
from idr_assets.imaging.segmentation.recipe import Recipe
from idr_assets.imaging.segmentation.run import SegmentationRun
from idr_assets_tests.support.idr_stores import write_image
from idr_assets_tests.support.small_image import PIXELS, SHAPE

WINDOW = Block(range(3), (0,), range(12))
STACK = PIXELS[:, 0].reshape(-1, *SHAPE[3:])
EXPECTED = [np.asarray(scipy.ndimage.label(plane > 400)[0]) for plane in STACK]

loads: Counter[str] = Counter()
sizes: list[int] = []


class Threshold:
    """A model that notes how it is used: its weights are a number."""

    device = "the test"

    def __init__(self, weights: Path) -> None:
        loads[weights.read_text()] += 1
        self.level = float(weights.read_text().split()[0])
        time.sleep(0.05)  # so that threads meet here
        self.turn = Lock()

    def __call__(self, planes: Pixels) -> Labels:
        assert self.turn.acquire(blocking=False), "two threads use a model that is for one"
        sizes.append(len(planes))
        time.sleep(0.002)  # so that threads would meet here too
        labels = np.stack([scipy.ndimage.label(plane > self.level)[0] for plane in planes])
        self.turn.release()
        return labels


@versioned("1")
@per_batch(model=Threshold, batch=5)
def bright(planes: Pixels, *, model: Threshold) -> Labels:
    assert planes.dtype.isnative
    labels = model(planes)
    planes[:] = 0
    return labels


@pytest.fixture(autouse=True)
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give weights that no other test has: a process keeps its models."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    sizes.clear()
    return write(tmp_path / "weights.txt")


def write(path: Path, level: str = "400") -> Path:
    path.write_text(f"{level} {path}")
    return path


def prepare(folder: Path, function: Any = bright, **parameters: Any) -> SegmentationRun:  # noqa: ANN401
    if not (folder / "source.zarr").exists():
        write_image(folder / "source.zarr", PIXELS, version="0.4")
    recipe = Recipe("mine", function, parameters, (0,))
    return SegmentationRun.prepare(Source(str(folder / "source.zarr"), "0"), recipe, WINDOW, str(folder / "output"))


def segment(client: Client, run: SegmentationRun) -> list[Result]:
    return run.confirm(list(run.segment(client, WINDOW, threads=2)))


def failures(found: list[Result]) -> dict[Plane, str]:
    return {it.plane: it.reason for it in found if isinstance(it, PlaneFailure)}


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])  # weights do not change
@given(st.integers(1, 50), st.lists(st.integers(1, len(STACK)), min_size=1, max_size=4))
def test_labels_depend_neither_on_batches_nor_on_blocks(weights: Path, batch: int, cuts: list[int]) -> None:
    sizes.clear()
    blocks = [it for it in np.split(STACK, sorted(cuts)) if len(it)]
    found = [label_stack(bright, it, weights=str(weights), batch=batch) for it in blocks]
    np.testing.assert_array_equal(np.concatenate(found), EXPECTED)
    assert max(sizes) == min(batch, max(map(len, blocks)))


def test_a_run_loads_the_model_once_and_says_so(client: Client, tmp_path: Path, weights: Path) -> None:
    run = prepare(tmp_path, weights=str(weights), batch=3)
    found = segment(client, run)
    assert sorted(it.plane for it in found if isinstance(it, PlaneSummary)) == WINDOW.planes()
    for plane, expected in zip(WINDOW.planes(), EXPECTED, strict=True):
        stored = run.output.read(plane)
        assert stored
        np.testing.assert_array_equal(stored.labels, expected)
        np.testing.assert_array_equal(stored.pixels, PIXELS[plane.t, plane.c, plane.z])
    assert loads[weights.read_text()] == 1
    assert max(sizes) <= 3
    (line,) = (it for it in describe_models(client, run.recipe) if f" {sum(sizes)} planes" in it)
    assert re.search(r": bright loaded its model in \d+\.\d s on the test, and labelled ", line)
    assert re.search(r"; peak memory of the process: \d+\.\d", line)
    assert not describe_models(client, Recipe("mine", scipy.ndimage.label, {}, (0,)))


def test_threads_that_need_a_model_at_once_load_it_once(weights: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda plane: label_stack(bright, plane[None], weights=str(weights)), STACK[:16]))
    assert loads[weights.read_text()] == 1


def test_a_model_that_others_have_displaced_at_once_is_used(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "MOST_MODELS", 0)
    np.testing.assert_array_equal(label_stack(bright, STACK, weights=str(weights)), EXPECTED)


@versioned("1")
@per_batch(model=Threshold, batch=12)
def hungry(planes: Pixels, *, model: Threshold, most: int, error: str) -> Labels:
    if len(planes) > most or (most == 1 and planes.max() == STACK[7].max()):
        raise {"MemoryError": MemoryError, "RuntimeError": RuntimeError}[error.split(":", maxsplit=1)[0]](error)
    return model(planes)


@pytest.mark.parametrize("error", ["MemoryError: ", "RuntimeError: CUDA out of memory. Tried to allocate 2 GiB"])
def test_memory_that_runs_out_halves_the_batch(weights: Path, error: str) -> None:
    assert len({plane.max() for plane in STACK}) == len(STACK)
    found = label_stack(hungry, STACK, weights=str(weights), most=4, error=error)
    np.testing.assert_array_equal(found, EXPECTED)
    assert sizes == [3] * 12  # 12, 6, then 3 for good


def test_a_plane_that_memory_does_not_suffice_for_fails_alone(client: Client, tmp_path: Path, weights: Path) -> None:
    found = segment(client, prepare(tmp_path, hungry, weights=str(weights), most=1, error="MemoryError: "))
    (reason,) = failures(found).values()
    assert list(failures(found)) == [WINDOW.planes()[7]]
    assert reason.startswith("ModelError: hungry ran out of memory on the test with one plane (MemoryError(")


lost: list[str] = []


@versioned("1")
@per_batch(model=Threshold)
def on_a_gpu(planes: Pixels, *, model: Threshold, times: int) -> Labels:
    if planes.max() == STACK.max() and len(lost) < times:
        lost.append("CUDA error: the launch timed out and was terminated")
        raise RuntimeError(lost[-1])
    return model(planes)


@pytest.mark.parametrize(("times", "failed"), [(1, 0), (99, 1)])
def test_a_gpu_that_is_lost_costs_no_plane_if_it_comes_back(
    client: Client, tmp_path: Path, weights: Path, times: int, failed: int
) -> None:
    lost.clear()
    found = segment(client, prepare(tmp_path, on_a_gpu, weights=str(weights), times=times))
    assert len(failures(found)) == failed
    assert loads[weights.read_text()] > 1
    for reason in failures(found).values():
        assert reason.startswith("DeviceLostError: on_a_gpu lost its device, the test, of the worker inproc://")


def test_weights_of_another_network_are_named(client: Client, tmp_path: Path, weights: Path) -> None:
    found = segment(client, prepare(tmp_path, weights=str(write(weights, "damaged"))))
    assert len(failures(found)) == len(WINDOW)
    reason = failures(found)[Plane(0, 0, 0)]
    assert reason.startswith(f"ModelError: bright cannot load its model from {weights} (ValueError(")


def test_weights_that_are_replaced_during_a_run_label_nothing(client: Client, tmp_path: Path, weights: Path) -> None:
    run = prepare(tmp_path, weights=str(weights))
    write(weights, "500")
    reasons = failures(segment(client, run))
    assert len(reasons) == len(WINDOW)
    assert re.fullmatch(
        rf"WeightsError: The weights {weights} have the SHA-256 \w+, not \w+, so .*", reasons[Plane(0, 0, 0)]
    )
    weights.unlink()
    with pytest.raises(WeightsError, match=rf"The weights {weights} do not exist, so no planes are segmented"):
        prepare(tmp_path, weights=str(weights))


def test_what_a_function_returns_for_a_batch_is_checked(weights: Path) -> None:
    @per_batch(model=Threshold)
    def wrong(planes: Pixels, *, model: Threshold) -> Pixels:
        return np.asarray(model(planes)[0])

    with pytest.raises(TypeError, match=r"wrong must return integer labels of shape \(2, 40, 36\)"):
        label(wrong, {"weights": str(weights)}, PIXELS[:2, :1, :1], SHAPE[3:])
