"""Functions that get the planes around each: which, what lies beyond the image's ends, and what is fetched for them."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import scipy.ndimage
from distributed import Client
from hypothesis import given
from hypothesis import strategies as st

from idr_assets.imaging.planes import Block, Plane
from idr_assets.imaging.reading.source import Source
from idr_assets.imaging.segmentation import per_plane, per_volume, versioned
from idr_assets.imaging.segmentation.labelling import Part, label
from idr_assets.imaging.segmentation.plane_results import PlaneFailure, PlaneSummary, Result
from idr_assets.imaging.segmentation.recipe import Recipe
from idr_assets.imaging.segmentation.run import SegmentationRun
from idr_assets.imaging.segmentation.works_on import WorksOn
from idr_assets_tests.support.idr_stores import nuclei_plane, write_image
from idr_assets_tests.support.store_server import StoreServer

type Pixels = npt.NDArray[Any]

SHAPE = (4, 2, 5, 30, 26)
PIXELS = np.array([[[nuclei_plane(t, c, z, SHAPE[3:]) for z in range(5)] for c in range(2)] for t in range(4)], "u2")


def above(smooth: Pixels) -> Pixels:
    return np.asarray(scipy.ndimage.label(smooth > 400)[0])


@versioned("1")
@per_plane
def median_of_all(planes: Pixels) -> Pixels:
    found = above(np.median(planes, tuple(range(planes.ndim - 2))))
    planes[:] = 0
    return found


@versioned("1")
@per_volume
def median_in_time(volumes: Pixels) -> Pixels:
    return above(np.median(volumes, 0))


def expected(c: int, t: int, z: int) -> Pixels:
    """Filter all planes of a channel by scipy, whose mode `nearest` repeats the first and the last."""
    size = 2 * t + 1, 2 * z + 1, 1, 1
    smooth = scipy.ndimage.median_filter(PIXELS[:, c].astype(float), size, mode="nearest")
    return np.array([[above(plane) for plane in planes] for planes in smooth])


@given(st.data())
def test_each_plane_gets_its_neighbours_and_at_the_ends_the_nearest_again(data: st.DataObject) -> None:
    t, z = data.draw(st.integers(0, 3)), data.draw(st.integers(0, 3))
    first, last = data.draw(st.tuples(st.integers(0, 3), st.integers(0, 3)).map(sorted))
    low, high = data.draw(st.tuples(st.integers(0, 4), st.integers(0, 4)).map(sorted))
    neighbours = {axis: (most, length) for axis, most, length in (("t", t, 4), ("z", z, 5)) if most}
    works = WorksOn("plane", neighbours=neighbours)
    block = Block(range(first, last + 1), (1,), range(low, high + 1))
    part = Part(works, block, works.reach(block, SHAPE))
    pixels = PIXELS[np.ix_(part.read.t, part.read.c, part.read.z)]
    labels, _ = label(median_of_all, {}, pixels, (SHAPE[3], SHAPE[4]), part)
    np.testing.assert_array_equal(labels[:, 0], expected(1, t, z)[first : last + 1, low : high + 1])


@pytest.fixture
def server(tmp_path: Path) -> Any:  # noqa: ANN401
    """Serve the image."""
    write_image(tmp_path / "store/image.zarr", PIXELS, version="0.4")
    with StoreServer(tmp_path / "store") as server:
        yield server


def prepare(server: StoreServer, output: Path, function: Any, **neighbours: tuple[int, int]) -> SegmentationRun:  # noqa: ANN401
    recipe = Recipe("mine", function, {}, (0,), neighbours=neighbours)
    return SegmentationRun.prepare(Source(f"{server.url}/image.zarr", "0"), recipe, Plane(1, 0, 2).block, str(output))


def segment(client: Client, run: SegmentationRun, block: Block) -> list[Result]:
    return list(run.segment(client, block, threads=2))


def requested(server: StoreServer) -> Mapping[str, int]:
    return Counter(path for _, path in server.requests if path.rpartition("/")[2][:1].isdigit())


def test_the_planes_around_a_block_are_fetched_once_and_not_stored(
    client: Client, server: StoreServer, tmp_path: Path
) -> None:
    run = prepare(server, tmp_path / "output", median_of_all, t=(1, 4), z=(1, 5))
    block = Block(range(1, 3), (0,), range(2, 4))
    server.reset()
    found = segment(client, run, block)
    assert {it.plane for it in found if isinstance(it, PlaneSummary)} == set(block.planes())
    assert len(requested(server)) == 4 * 4
    for plane in block.planes():
        stored = run.output.read(plane)
        assert stored
        np.testing.assert_array_equal(stored.labels, expected(0, 1, 1)[plane.t, plane.z])
        np.testing.assert_array_equal(stored.pixels, PIXELS[plane.t, 0, plane.z])
    assert run.output.read(Plane(0, 0, 2)) is None
    assert (run.provenance.neighbours, run.recipe.works_on.why) == (
        {"t": 1, "z": 1},
        "read with the planes around it, even those outside of `window`",
    )


def test_a_volume_may_have_neighbours_in_time(client: Client, server: StoreServer, tmp_path: Path) -> None:
    run = prepare(server, tmp_path / "output", median_in_time, t=(2, 4))
    segment(client, run, Block(range(3, 4), (0,), range(1, 3)))
    smooth = scipy.ndimage.median_filter(PIXELS[:, 0].astype(float), (5, 1, 1, 1), mode="nearest")
    for z in (1, 2):
        stored = run.output.read(Plane(3, 0, z))
        assert stored
        np.testing.assert_array_equal(stored.labels, above(smooth[3])[z])


def test_a_neighbour_that_cannot_be_read_is_named_and_costs_the_planes_beside_it(
    client: Client, server: StoreServer, tmp_path: Path
) -> None:
    (server.root / "image.zarr/0/2/0/4/0/0").unlink()
    run = prepare(server, tmp_path / "output", median_of_all, z=(1, 5))
    failures = [it for it in segment(client, run, Block(range(2, 3), (0,), range(5))) if isinstance(it, PlaneFailure)]
    assert sorted(it.plane.z for it in failures) == [3, 4]
    beside = next(it.reason for it in failures if it.plane.z == 3)
    assert "so t 2 c 0 z 4 has no pixels" in beside
    assert beside.endswith("read with the planes around it, even those outside of `window`")


def test_other_neighbours_or_a_longer_axis_are_another_recipe() -> None:
    versions = {
        Recipe("mine", median_of_all, {}, (0,), neighbours=neighbours).version
        for neighbours in ({}, {"z": (1, 5)}, {"z": (2, 5)}, {"z": (1, 6)}, {"t": (1, 5)})
    }
    assert len(versions) == 5
