"""A function of a stack labels each plane as if it were alone; one that does not is found, and nothing is stored."""

from functools import partial
from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
import pytest
import scipy.ndimage
from distributed import Client

from idr_assets.imaging.planes import Block, Plane, within
from idr_assets.imaging.reading.source import Source
from idr_assets.imaging.segmentation import gaussian_threshold, per_stack
from idr_assets.imaging.segmentation.independence import DependentPlanesError, compare_alone
from idr_assets.imaging.segmentation.labelling import label
from idr_assets.imaging.segmentation.lifting import SegmentationFunction
from idr_assets.imaging.segmentation.plane_results import PlaneFailure, PlaneSummary, Result
from idr_assets.imaging.segmentation.recipe import Recipe
from idr_assets.imaging.segmentation.run import SegmentationRun
from idr_assets_tests.support.idr_stores import write_image
from idr_assets_tests.support.small_image import PIXELS, SHAPE

WINDOW = Block(range(3), (0,), range(12))


@per_stack
def of_the_brightest(planes: da.Array) -> da.Array:
    """Threshold by the brightest plane of the stack."""
    bright: da.Array = planes > 0.5 * planes.max()
    return bright.astype(np.int32)  # type: ignore[no-any-return]


@per_stack
def in_space(planes: da.Array) -> da.Array:
    """Label what is joined through the stack."""
    whole: Any = planes.rechunk(planes.shape)
    return whole.map_blocks(lambda stack: scipy.ndimage.label(stack > 1000)[0], dtype=np.int32)  # type: ignore[no-any-return]


@per_stack
def of_z_5(planes: da.Array) -> da.Array:
    """Mix planes only where one of them is the plane t 0 z 5."""
    special = np.array(PIXELS[0, 0, 5])

    def label(stack: Any) -> Any:  # noqa: ANN401
        mixed = any(np.array_equal(plane, special) for plane in stack) and len(stack) > 1
        return np.stack([np.asarray(plane > (500 if mixed else 300), np.int32) for plane in stack])

    return planes.rechunk(planes.shape).map_blocks(label, dtype=np.int32)  # type: ignore[no-any-return]


def segment(folder: Path, client: Client, function: SegmentationFunction) -> tuple[SegmentationRun, list[Result]]:
    if not (folder / "source.zarr").exists():
        write_image(folder / "source.zarr", PIXELS, version="0.4")
    source = Source(str(folder / "source.zarr"), "0", SHAPE)
    run = SegmentationRun.prepare(source, Recipe("mine", function, {}, (0,)), WINDOW, str(folder / "output"))
    return run, run.confirm(list(run.segment(client, WINDOW, threads=2)))


@pytest.mark.parametrize("function", [of_the_brightest, in_space])
def test_dependent_planes_are_named_and_never_stored(
    tmp_path: Path, client: Client, function: SegmentationFunction
) -> None:
    run, found = segment(tmp_path, client, function)
    failures = [result for result in found if isinstance(result, PlaneFailure)]
    assert {failure.plane for failure in failures} == set(WINDOW.planes())
    for result in failures:
        assert result.dependent
        assert result.reason.startswith(
            ("DependentPlanesError: t ", "its labels were removed: ", "it was not segmented: ")
        )
        assert run.output.read(result.plane) is None
    reason = next(result.reason for result in failures if result.plane == Plane(0, 0, 0))
    assert f"{function.__name__} is declared @per_stack, but its labels depend on the planes" in reason


def test_planes_of_blocks_that_showed_nothing_are_removed(tmp_path: Path, client: Client) -> None:
    run, found = segment(tmp_path, client, of_z_5)
    reasons = {result.plane: result.reason for result in found if isinstance(result, PlaneFailure)}
    assert set(reasons) == set(WINDOW.planes())
    assert reasons[Plane(0, 0, 0)].startswith("DependentPlanesError: t 0 c 0 z 0 has other labels alone (")
    assert reasons[Plane(2, 0, 11)].startswith("its labels were removed: those of other planes of this run depend on")
    assert not any(run.output.read(plane) for plane in WINDOW.planes())


def test_planes_of_the_recipe_of_the_project_are_independent(tmp_path: Path, client: Client) -> None:
    _, found = segment(tmp_path, client, gaussian_threshold)
    assert sum(result.compared for result in found if isinstance(result, PlaneSummary)) == 6
    assert all(isinstance(result, PlaneSummary) for result in found)


@per_stack
def with_the_plane_before(planes: da.Array) -> da.Array:
    """Threshold the mean of each plane and the one before it."""
    before = da.concatenate([planes[:1], planes[:-1]])
    return ((planes.astype(float) + before) / 2 > 500).astype(np.int32)  # type: ignore[no-any-return]


@pytest.mark.parametrize("slices", [2, 3, 4])
def test_each_plane_of_a_small_block_is_compared(slices: int) -> None:
    pixels = PIXELS[:1, :1, :slices]
    block = Block(range(1), (0,), range(slices))
    segment_alone = partial(label, with_the_plane_before, {}, plane_chunks=pixels.shape[3:])
    with pytest.raises(DependentPlanesError, match="with_the_plane_before is declared @per_stack"):
        compare_alone(
            block,
            segment_alone(pixels)[0],
            lambda plane: segment_alone(pixels[within(block, plane)])[0],
            "with_the_plane_before",
        )


def test_labels_of_a_model_may_differ_by_the_rounding_of_a_gpu() -> None:
    block, found = Block(range(1), (0,), range(2)), np.zeros((1, 1, 2, 40, 50), np.int32)
    alone = found[:, :, :1].copy()
    alone[..., 0, 0] = 7
    assert len(compare_alone(block, found, lambda _: alone, "mine", 0.001)) == 2
    alone[..., 0, :3] = 7
    with pytest.raises(DependentPlanesError, match="mine is declared @per_batch, but its labels depend on the planes"):
        compare_alone(block, found, lambda _: alone, "mine", 0.001)
