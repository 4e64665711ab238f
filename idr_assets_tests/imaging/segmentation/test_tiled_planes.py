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

from idr_assets.imaging.figures.pictures import outlines_png
from idr_assets.imaging.output import creation, output_image, tile_writing
from idr_assets.imaging.output.provenance import read_provenance
from idr_assets.imaging.planes import Block, Plane
from idr_assets.imaging.reading.plate import PlateSource
from idr_assets.imaging.reading.source import Source
from idr_assets.imaging.segmentation import (
    cutting,
    gaussian_threshold,
    otsu_watershed,
    size_remarks,
    stored_plane,
    tiled_planes,
)
from idr_assets.imaging.segmentation.cutting import in_tiles
from idr_assets.imaging.segmentation.decorators import per_plane
from idr_assets.imaging.segmentation.plane_results import PlaneFailure, PlaneSummary, Result
from idr_assets.imaging.segmentation.plate_run import PlateRun
from idr_assets.imaging.segmentation.recipe import Recipe
from idr_assets.imaging.segmentation.run import SegmentationRun
from idr_assets.imaging.segmentation.size_remarks import remark_size
from idr_assets.imaging.segmentation.tiles.arrays import label_array
from idr_assets.imaging.segmentation.tiles.otsu import OtsuTiles
from idr_assets.imaging.wells import list_fields, parse_wells
from idr_assets.orchestration.assets import plane_metadata
from idr_assets.orchestration.assets.plane_metadata import draw_outlines
from idr_assets_tests.support.idr_stores import write_image
from idr_assets_tests.support.plate_stores import field_pixels, write_plate
from idr_assets_tests.support.store_faults import status
from idr_assets_tests.support.store_server import StoreServer
from idr_assets_tests.support.tiled_arrays import draw_nuclei

SHAPE = (80, 100)
PIXELS = np.stack([draw_nuclei(1, SHAPE), draw_nuclei(2, SHAPE)]).reshape(2, 1, 1, *SHAPE)
PLANES = FIRST, SECOND = Plane(0, 0, 0), Plane(1, 0, 0)
WINDOW = Block(range(2), (0,), range(1))


@pytest.fixture(autouse=True)
def _planes_are_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cutting, "MOST_PIXELS", 5_000)
    monkeypatch.setattr(creation, "LONGEST_CHUNK", 40)
    monkeypatch.setattr(size_remarks, "LONGEST_CHUNK", 40)
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


def test_small_pictures_of_large_planes_are_made_of_every_few_pixels(
    server: StoreServer, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = prepare(server)
    found = segment(run, client)
    monkeypatch.setattr(output_image, "MOST_PIXELS", 5_000)
    monkeypatch.setattr(plane_metadata, "PICTURE_SIDE", 10)
    reads: list[Any] = []

    def keep(read: Any, most: int) -> bytes:  # noqa: ANN401
        reads.append(read)
        return outlines_png(read, most)

    monkeypatch.setattr(plane_metadata, "outlines_png", keep)
    assert draw_outlines(run.output, found).keys() == {f"outlines, {plane}" for plane in PLANES}
    for read, pixels in zip(reads, PIXELS[:, 0, 0], strict=True):
        np.testing.assert_array_equal(read.pixels, pixels[::5, ::5])
        assert read.labels.shape == (16, 20)


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


@in_tiles(15)
@per_plane
def brighter(nuclei: npt.NDArray[Any], cytoplasm: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return np.asarray(ndimage.label((nuclei > 220) & (nuclei > cytoplasm))[0])


def test_a_function_gets_all_inputs_by_tiles_and_the_pixels_of_all_are_stored(
    server: StoreServer, client: Client
) -> None:
    pixels = np.stack([draw_nuclei(at, SHAPE) for at in range(4)]).reshape(1, 4, 1, *SHAPE)
    write_image(server.root / "several.zarr", pixels, version="0.4", chunks=(1, 2, 1, 30, 35))
    source = Source(f"{server.url}/several.zarr", "0", pixels.shape, "uint16")
    inputs = {"nuclei": 2, "cytoplasm": 0}
    recipe = Recipe("brighter", brighter, {}, (2,), inputs=inputs, measured=(3,), plane_shape=SHAPE)
    found = []
    for _ in range(2):
        run = SegmentationRun.prepare(source, recipe, Block(range(1), (2,), range(1)), str(server.root / "output"))
        found += run.confirm(list(run.segment(client, Block(range(1), (2,), range(1)), threads=2)))
    expected = brighter.__wrapped__(pixels[0, 2, 0], pixels[0, 0, 0])  # type: ignore[attr-defined]
    for c in (0, 2, 3):
        stored = run.output.read(Plane(0, c, 0), labels_of=2)
        assert stored is not None
        np.testing.assert_array_equal(stored.pixels, pixels[0, c, 0])
        np.testing.assert_array_equal(stored.labels, expected)
    assert run.output.read(Plane(0, 1, 0), labels_of=2) is None
    first, again = (it for it in found if isinstance(it, PlaneSummary))
    assert [it.c for it, _ in first.origins] == [0, 2, 3]
    assert (again.origins, again.reused, again.objects) == ((), True, expected.max())
    assert again.maximum == pixels[0, 2].max()
    assert any("are cut into 6 tiles" in it.text for it in run.remarks)


def test_large_fields_of_a_plate_are_cut(server: StoreServer, client: Client) -> None:
    fields = list_fields(parse_wells(["B02", "B03"]), [0])
    write_plate(server.root / "plate.zarr", fields, shape=(1, 1, 1, *SHAPE))
    (server.root / "plate.zarr" / fields[1].path / "0/0/0/0/0/0").unlink()
    source = PlateSource(
        f"{server.url}/plate.zarr", "0", (1, 1, 1, *SHAPE), "uint16", fields=(*fields,), times=range(1)
    )
    recipe = Recipe("gaussian_threshold", gaussian_threshold, {}, (0,), plane_shape=SHAPE)
    run = PlateRun.prepare_fields(source, recipe, WINDOW, str(server.root / "output"), [0, 1])
    stored, failed = segment(run, client)
    pixels = field_pixels(fields[0], (1, 1, 1, *SHAPE))[:, 0, 0]
    labelled = run.output.read(FIRST)
    assert labelled is not None
    np.testing.assert_array_equal(labelled.labels, gaussian_threshold(da.from_array(pixels)).compute()[0])
    assert isinstance(stored, PlaneSummary)
    assert isinstance(failed, PlaneFailure)
    assert re.search(r"in the tile \[0:80, 0:100\] of B03_0 c 0 z 0$", failed.reason)
    assert any("are cut into 6 tiles" in it.text for it in run.remarks)


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
    monkeypatch.setattr(stored_plane, "store_labels", fail)
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


@pytest.mark.parametrize(
    ("function", "neighbours", "text"),
    [
        (peaks, {"t": (1, 2)}, r"whole, because `neighbours` .* 0\.1 GB .* give fewer `neighbours`, or none, choose"),
        (per_plane(lambda plane: plane), {}, r"no line @in_tiles: each .* write @in_tiles above .*, choose"),
        (peaks, {}, "are cut into"),
    ],
)
def test_what_is_not_cut_is_said_with_its_memory_before_work_starts(
    server: StoreServer,
    monkeypatch: pytest.MonkeyPatch,
    function: Any,  # noqa: ANN401
    neighbours: dict[str, tuple[int, int]],
    text: str,
) -> None:
    monkeypatch.setattr(size_remarks, "MOST_PIXELS", 5_000)
    level = replace(prepare(server).level)
    monkeypatch.setattr(type(level), "plane_shape", (4_000, 1_000))
    recipe = replace(prepare(server, peaks).recipe, function=function, neighbours=neighbours)
    (remark,) = remark_size(level, recipe)
    assert re.search(text, remark.text)


def test_the_recipe_says_if_cuts_may_show() -> None:
    versions = {}
    for function in (gaussian_threshold, otsu_watershed):
        small = Recipe(function.__qualname__, function, {}, (0,), plane_shape=(50, 100))
        versions[function] = small.version, replace(small, plane_shape=SHAPE).version
    assert len(set(versions[gaussian_threshold])) == 1
    assert len(set(versions[otsu_watershed])) == 2
