"""Planes and origins that are damaged, or cannot be noted: what is in doubt is fetched, and no more."""

import shutil
from errno import ENOSPC
from pathlib import Path
from typing import Any

import pytest
import zarr
from distributed import Client
from zarr.storage import _local

from idr_assets.imaging.planes import Block, Plane
from idr_assets.imaging.segmentation.blocks import segment_blocks
from idr_assets.imaging.segmentation.plane_results import PlaneSummary
from idr_assets_tests.support.damage import flip_bit
from idr_assets_tests.support.reused_pixels import BLOCK, chunk_requests, fill, keys, open_task
from idr_assets_tests.support.segmented_nuclei import serve_nuclei
from idr_assets_tests.support.store_server import StoreServer


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
    serve_nuclei(server)
    fill(server)
    *spoilt, good = BLOCK.planes()[3:17:2]
    spoil(tmp_path, *spoilt, good)
    assert fill(server) == set(BLOCK.planes()) - set(spoilt)
    assert chunk_requests(server) == keys(*spoilt)
    assert fill(server) == set(BLOCK.planes())


def test_damaged_origins_cost_the_slices_of_their_timepoint_and_channel(server: StoreServer, tmp_path: Path) -> None:
    serve_nuclei(server)
    whole = Block(range(4), (0, 1), range(5))
    fill(server, whole)
    flip_bit(tmp_path / "output/origins/c/2/1/0/0/0")
    damaged = {Plane(2, 1, z) for z in BLOCK.z}
    assert fill(server) == set(BLOCK.planes()) - damaged
    assert chunk_requests(server) == keys(*damaged)
    assert fill(server, whole) == set(whole.planes()) - {Plane(2, 1, 0)}


@pytest.mark.parametrize("damage", [False, True])
def test_origins_that_cannot_be_noted_are_told_once_and_fail_no_plane(
    server: StoreServer,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    damage: bool,  # noqa: FBT001
) -> None:
    serve_nuclei(server)
    fill(server)
    if damage:
        flip_bit(server.root / "output/origins/c/2/1/0/0/0")
    task = open_task(server, reuse=False)

    def refuse(path: Path, *arguments: object, **options: object) -> int:
        if "origins" in path.parts:
            raise OSError(ENOSPC, "No space left on device")
        return int(put(path, *arguments, **options))

    put: Any = _local._put  # noqa: SLF001
    monkeypatch.setattr(_local, "_put", refuse)
    with Client(processes=False, n_workers=1, threads_per_worker=2, dashboard_address="127.0.0.1:0") as client:
        found = list(segment_blocks(client, task, BLOCK.single_planes()))
    assert {type(result) for result in found} == {PlaneSummary}
    (told,) = [record.getMessage() for record in caplog.records if record.name.endswith("segmentation.origin_notes")]
    assert "The planes are stored, but their origins cannot be noted ([Errno 28] No space left on device)" in told


@pytest.mark.parametrize("text", ["", "{}", '{"zarr_format": 3, "node_ty'])
def test_damaged_metadata_of_origins_are_made_anew(server: StoreServer, text: str) -> None:
    serve_nuclei(server)
    assert fill(server) == set()
    (server.root / "output/origins/zarr.json").write_text(text)
    assert fill(server) == set(BLOCK.planes())
    assert chunk_requests(server) == {}
