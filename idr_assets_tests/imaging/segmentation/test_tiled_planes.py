"""Large planes on a cluster, tile by tile: what is stored, told, taken over, refused and removed."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import repeat
from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
import numpy.typing as npt
import pytest
from distributed import Client
from scipy import ndimage

from idr_assets.imaging.output import creation, tile_writing
from idr_assets.imaging.output.provenance import read_provenance
from idr_assets.imaging.planes import Block, Plane
from idr_assets.imaging.reading.source import Source
from idr_assets.imaging.segmentation import (
    cutting,
    gaussian_threshold,
    otsu_watershed,
    remarks,
    tile_task,
    tiled_planes,
)
from idr_assets.imaging.segmentation.cutting import in_tiles
from idr_assets.imaging.segmentation.decorators import per_plane
from idr_assets.imaging.segmentation.plane_results import PlaneFailure, PlaneSummary, Result
from idr_assets.imaging.segmentation.recipe import Recipe
from idr_assets.imaging.segmentation.run import SegmentationRun
from idr_assets.imaging.segmentation.tiles.otsu import OtsuTiles
from idr_assets_tests.support.idr_stores import write_image
from idr_assets_tests.support.store_faults import status
from idr_assets_tests.support.store_server import StoreServer
from idr_assets_tests.support.tiled_arrays import draw_nuclei, label_array

SHAPE = (80, 100)
PIXELS = np.stack([draw_nuclei(1, SHAPE), draw_nuclei(2, SHAPE)]).reshape(2, 1, 1, *SHAPE)
PLANES = FIRST, SECOND = Plane(0, 0, 0), Plane(1, 0, 0)
WINDOW = Block(range(2), (0,), range(1))


@pytest.fixture(autouse=True)
def _planes_are_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cutting, "MOST_PIXELS", 5_000)
    monkeypatch.setattr(creation, "LONGEST_CHUNK", 40)
    monkeypatch.setattr(remarks, "LONGEST_CHUNK", 40)
    monkeypatch.setattr(tiled_planes, "FETCHED", 64)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[StoreServer]:
    write_image(tmp_path / "image.zarr", PIXELS, version="0.4", chunks=(1, 1, 1, 30, 35))
    with StoreServer(tmp_path) as server:
        yield server


def prepare(server: StoreServer, function: Any = gaussian_threshold) -> SegmentationRun:  # noqa: ANN401
    source = Source(f"{server.url}/image.zarr", "0", PIXELS.shape, "uint16")
    recipe = Recipe(function.__qualname__, function, {}, (0,), plane_shape=SHAPE)
    return SegmentationRun.prepare(source, recipe, WINDOW, str(server.root / "output"))


def segment(run: SegmentationRun, client: Client, **more: Any) -> list[Result]:  # noqa: ANN401
    return run.confirm(list(run.segment(client, WINDOW, threads=2, **more)))


@in_tiles(15)
@per_plane
def peaks(plane: npt.NDArray[Any]) -> npt.NDArray[Any]:
    labels: npt.NDArray[Any] = ndimage.label(plane > 220)[0]
    return labels


@pytest.mark.parametrize(("function", "each"), [(gaussian_threshold, 3), (otsu_watershed, 5), (peaks, 2)])
def test_planes_are_stored_as_if_in_one_piece(
    server: StoreServer, client: Client, function: Callable[..., da.Array], each: int
) -> None:
    run = prepare(server, function)
    steps: list[tuple[Plane, int, int]] = []
    found = segment(run, client, tell=lambda *step: steps.append(step))
    expected = function(da.from_array(PIXELS[:, 0, 0])).compute(scheduler="synchronous")
    if function is otsu_watershed:  # of which some pixels may differ
        form = OtsuTiles(sigma=1.0, background_sigma=10, minimum_area=20, split_depth=0.5)
        expected = [label_array(form, plane, SHAPE)[0] for plane in PIXELS[:, 0, 0]]
    for plane, labels, pixels, summary in zip(PLANES, expected, PIXELS[:, 0, 0], found, strict=True):
        stored = run.output.read(plane)
        assert stored is not None
        np.testing.assert_array_equal(stored.pixels, pixels)
        np.testing.assert_array_equal(stored.labels, labels)
        assert isinstance(summary, PlaneSummary)
        measured = summary.objects, summary.foreground, summary.minimum, summary.maximum, summary.saturated
        assert measured == (labels.max(), np.mean(labels > 0), pixels.min(), pixels.max(), 0)
        assert (summary.threshold is None) == (function is not gaussian_threshold)
    assert read_provenance(run.output.url, "segmentation") == [run.provenance]
    total = 2 + each * 6
    assert steps == [(plane, done, total) for plane in PLANES for done in range(1, total + 1)]
    assert any("80 x 100 pixels, 0 megapixels, and are cut into 6 tiles" in it.text for it in run.remarks)


def test_planes_of_the_source_as_it_is_are_not_fetched_again(server: StoreServer, client: Client) -> None:
    first = segment(prepare(server), client)
    server.requests.clear()
    run = prepare(server, otsu_watershed)
    again = segment(run, client)
    assert [path for path, _ in server.requests if "/0/0/0/" in path] == []
    assert [(it.reused, bool(it.origins)) for it in (*first, *again) if isinstance(it, PlaneSummary)] == [
        *[(False, True)] * 2,
        *[(True, False)] * 2,
    ]
    assert run.origins is not None
    assert run.origins.holds(WINDOW)


def test_a_tile_that_cannot_be_read_costs_its_plane_and_is_named(server: StoreServer, client: Client) -> None:
    server.faults["*/0/0/0/0/2/2"] = repeat(status(404))
    failed, stored = segment(prepare(server), client)
    assert isinstance(failed, PlaneFailure)
    assert failed.plane == FIRST
    assert re.search(r"in the tile \[0:80, (0:80|80:100)\] of t 0 c 0 z 0$", failed.reason)
    assert isinstance(stored, PlaneSummary)


def test_a_tile_that_fails_once_is_tried_again(server: StoreServer, client: Client) -> None:
    server.faults["*/0/0/0/0/2/2"] = [status(404)]
    assert all(isinstance(it, PlaneSummary) for it in segment(prepare(server), client))


def test_labels_that_are_on_a_disk_that_fills_up_are_removed(
    server: StoreServer, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = prepare(server)
    segment(run, client)

    def fail(output: Any, plane: Plane, part: Any, labels: Any) -> None:  # noqa: ANN401
        before.append(output.read(plane))
        if part[0].start and plane == SECOND:
            raise OSError(28, "No space left on device")
        store(output, plane, part, labels)

    before: list[object] = []
    store = tile_writing.store_labels
    monkeypatch.setattr(tile_task, "store_labels", fail)
    stored, failed = segment(run, client)
    assert isinstance(stored, PlaneSummary)
    assert isinstance(failed, PlaneFailure)
    assert "No space left on device, in the tile [" in failed.reason
    assert {*before} == {None}
    assert run.output.read(SECOND) is None
    assert not [*(server.root / "output/labels/segmentation/0/c/1").rglob("*/*/*/*")]


def test_nothing_follows_a_stop(server: StoreServer, client: Client) -> None:
    run = prepare(server)
    steps: list[int] = []
    found = segment(run, client, tell=lambda _, done, __: steps.append(done), stopped=lambda: len(steps) > 10)
    assert found == []
    assert run.output.read(FIRST) is None
    assert len(steps) < 20


def test_the_recipe_says_if_cuts_may_show() -> None:
    versions = {}
    for function in (gaussian_threshold, otsu_watershed):
        small = Recipe(function.__qualname__, function, {}, (0,), plane_shape=(50, 100))
        versions[function] = small.version, replace(small, plane_shape=SHAPE).version
    assert len(set(versions[gaussian_threshold])) == 1
    assert len(set(versions[otsu_watershed])) == 2
