"""Functions of several channels: what they get, and what is stored, read again and proven of it."""

import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
import numpy.typing as npt
import pytest
import scipy.ndimage
from distributed import Client

from idr_assets.imaging.output.output_image import open_output
from idr_assets.imaging.output.read_back import read_checksums
from idr_assets.imaging.planes import Block, Plane
from idr_assets.imaging.reading.source import Source
from idr_assets.imaging.segmentation import gaussian_threshold, per_plane, per_stack, per_volume, versioned
from idr_assets.imaging.segmentation.lifting import SegmentationFunction
from idr_assets.imaging.segmentation.plane_results import PlaneFailure, PlaneSummary, Result
from idr_assets.imaging.segmentation.recipe import Recipe
from idr_assets.imaging.segmentation.run import SegmentationRun
from idr_assets_tests.support.idr_stores import nuclei_plane, write_image
from idr_assets_tests.support.store_server import StoreServer

type Pixels = npt.NDArray[Any]

SHAPE = (2, 3, 4, 40, 36)
PIXELS = np.array([[[nuclei_plane(t, c, z, SHAPE[3:]) for z in range(4)] for c in range(3)] for t in range(2)], ">u2")
WINDOW = Block(range(2), (2,), range(1, 3))
INPUTS = {"nuclei": 2, "cytoplasm": 0}


def above(nuclei: Pixels, cytoplasm: Pixels, than: float) -> Pixels:
    """Label by scipy alone what is bright in the nuclei, and brighter there than in the cytoplasm."""
    return np.asarray(scipy.ndimage.label((nuclei > than) & (nuclei > cytoplasm.astype(int)))[0])


@versioned("1")
@per_plane
def cells(nuclei: Pixels, cytoplasm: Pixels, *, than: float = 400) -> Pixels:
    assert nuclei.shape == cytoplasm.shape == SHAPE[3:]
    assert nuclei.dtype.isnative
    labels = above(nuclei, cytoplasm, than)
    nuclei[:] = cytoplasm[:] = 0
    return labels


@versioned("1")
@per_volume
def cells_in_space(nuclei: Pixels, cytoplasm: Pixels, *, than: float = 400) -> Pixels:
    return above(nuclei, cytoplasm, than)


@versioned("1")
@per_stack
def cells_of_stacks(nuclei: da.Array, cytoplasm: da.Array, *, than: float = 400) -> da.Array:
    return da.map_blocks(  # type: ignore[no-any-return]
        lambda one, other: np.stack([above(*planes, than) for planes in zip(one, other, strict=True)]).astype(int),
        nuclei,
        cytoplasm,
        dtype=int,
    )


def expected(plane: Plane, function: Any) -> Pixels:  # noqa: ANN401
    nuclei, cytoplasm = PIXELS[plane.t, 2], PIXELS[plane.t, 0]
    if function is cells_in_space:
        return np.asarray(above(nuclei, cytoplasm, 400)[plane.z])
    return above(nuclei[plane.z], cytoplasm[plane.z], 400)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[StoreServer]:
    """Serve an image of three channels."""
    write_image(tmp_path / "store/image.zarr", PIXELS, version="0.4")
    with StoreServer(tmp_path / "store") as server:
        yield server


def prepare(server: StoreServer, output: Path, function: Any = cells, **inputs: int) -> SegmentationRun:  # noqa: ANN401
    """Prepare a run; without inputs, each channel gets labels of its own."""
    channels = (next(iter(inputs.values())),) if inputs else (0,)
    recipe = Recipe("mine", function, {}, channels, inputs)
    window = replace(WINDOW, c=channels)
    labels = "cells" if inputs else "plain"
    return SegmentationRun.prepare(Source(f"{server.url}/image.zarr", "0"), recipe, window, str(output), labels=labels)


def segment(client: Client, run: SegmentationRun, block: Block = WINDOW) -> list[Result]:
    return run.confirm(list(run.segment(client, block, threads=2)))


def requested(server: StoreServer) -> Counter[str]:
    return Counter(path for _, path in server.requests if path.rpartition("/")[2][:1].isdigit())


@pytest.mark.parametrize("function", [cells, cells_in_space, cells_of_stacks])
def test_a_function_gets_its_channels_by_name_and_all_of_them_are_stored(
    client: Client, server: StoreServer, tmp_path: Path, function: SegmentationFunction
) -> None:
    run = prepare(server, tmp_path / "output", function, **INPUTS)
    server.reset()
    found = segment(client, run)
    assert {it.plane for it in found if isinstance(it, PlaneSummary)} == set(WINDOW.planes())
    slices = SHAPE[2] if function is cells_in_space else len(WINDOW.z)
    assert len(requested(server)) == 2 * len(WINDOW.t) * slices
    assert set(requested(server).values()) == {1}
    output = open_output(run.output.url, "cells", (0, 2))
    for plane in WINDOW.planes():
        own, other = output.read(plane), output.read(replace(plane, c=0), labels_of=2)
        assert own
        assert other
        np.testing.assert_array_equal(own.labels, expected(plane, function))
        np.testing.assert_array_equal(other.labels, own.labels)
        np.testing.assert_array_equal(own.pixels, PIXELS[plane.t, 2, plane.z])
        np.testing.assert_array_equal(other.pixels, PIXELS[plane.t, 0, plane.z])
        assert output.read(replace(plane, c=1)) is None
        assert 0 < np.count_nonzero(own.labels) < np.count_nonzero(own.pixels > 400)  # both channels count


def test_of_a_fingerprint_that_stays_no_channel_is_fetched_again(
    client: Client, server: StoreServer, tmp_path: Path
) -> None:
    segment(client, prepare(server, tmp_path / "output", **INPUTS))
    again = prepare(server, tmp_path / "output", **INPUTS)
    server.reset()
    found = segment(client, again)
    assert not requested(server)
    assert all(it.reused for it in found if isinstance(it, PlaneSummary))
    third = prepare(server, tmp_path / "output", nuclei=2, cytoplasm=1)
    server.reset()
    segment(client, third)
    assert len(requested(server)) == len(WINDOW)


def test_a_channel_that_cannot_be_read_costs_its_plane_and_is_named(
    client: Client, server: StoreServer, tmp_path: Path
) -> None:
    (server.root / "image.zarr/0/1/0/2/0/0").unlink()
    failures = [
        it for it in segment(client, prepare(server, tmp_path / "output", **INPUTS)) if isinstance(it, PlaneFailure)
    ]
    (failure,) = failures
    assert failure.plane == Plane(1, 2, 2)
    assert "is missing, so t 1 c 0 z 2 has no pixels" in failure.reason
    assert failure.reason.endswith("read with the other channels that belong to these labels")


def test_labels_do_not_stay_on_other_pixels_of_any_of_their_channels(
    client: Client, server: StoreServer, tmp_path: Path
) -> None:
    output = tmp_path / "output"
    run = prepare(server, output, **INPUTS)
    segment(client, run)
    before = read_checksums(run.output, WINDOW.planes())
    changed = PIXELS.copy()
    changed[0, 0, 1] += 1
    shutil.rmtree(server.root / "image.zarr")
    write_image(server.root / "image.zarr", changed, version="0.4")
    plain = prepare(server, output, gaussian_threshold)
    segment(client, plain, replace(WINDOW, c=(0,)))
    assert run.output.read(WINDOW.planes()[0]) is None
    after = read_checksums(run.output, WINDOW.planes())
    assert after == [None, *before[1:]]


def test_the_record_and_the_version_tell_of_all_inputs(server: StoreServer, tmp_path: Path) -> None:
    run = prepare(server, tmp_path / "output", **INPUTS)
    assert (run.provenance.inputs, run.provenance.channels, run.provenance.together) == (INPUTS, (2,), (0, 2))
    swapped, fewer = prepare(server, tmp_path / "b", nuclei=2, cytoplasm=1), Recipe("mine", cells, {}, (2,), INPUTS)
    assert run.recipe.version == fewer.version != swapped.recipe.version
    assert replace(fewer, parameters={"than": 400.0}).version == fewer.version
