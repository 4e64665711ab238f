"""Writers that are stopped or killed in the middle of a file, as real processes: nothing of them stays or is lost."""

import json
import os
import signal
from ctypes import c_int
from itertools import count
from multiprocessing.sharedctypes import RawValue
from multiprocessing.synchronize import Barrier, Event
from pathlib import Path
from time import sleep
from typing import Any

import numpy as np
import psutil
import pytest

from idr_assets.imaging.objects.tables import write_objects
from idr_assets.imaging.output.creation import create_output
from idr_assets.imaging.output.files import write_file
from idr_assets.imaging.output.origin_array import create_origin_array
from idr_assets.imaging.output.output_image import OutputImage, open_output
from idr_assets.imaging.output.plane_records import write_record
from idr_assets.imaging.output.provenance import Provenance, add_provenance, read_provenance
from idr_assets.imaging.output.writing import store_planes
from idr_assets.imaging.planes import Block, Plane
from idr_assets.imaging.reading.level import Level, open_level
from idr_assets_tests.support.forked import FORKED, exit_codes, fork
from idr_assets_tests.support.idr_stores import write_image
from idr_assets_tests.support.stored_files import files

PIXELS = np.random.default_rng(0).integers(0, 2**16, (1, 1, 1, 600, 600), np.uint16)
FEW = np.zeros(PIXELS.shape, np.int32)
FEW[..., :9, :9] = 1  # measured in no time, so that writing takes a good part of it
PLANE = Block(range(1), (0,), range(1))


def write(kind: str, folder: Path, number: int) -> None:
    """Write a chunk, a table or a figure anew, or the documents of another output, in both formats by turns."""
    level = open_level(str(folder / "source.zarr"), "0")
    if kind == "chunks":
        store_planes(create_output(str(folder / "output"), level), PLANE, PIXELS, PIXELS.astype(np.int32))
    elif kind == "documents":
        create_output(str(folder / f"output{number}"), level, version="0.4" if number % 2 else "0.5")
    elif kind == "tables":
        output = open_output(str(folder / "output"))
        assert write_objects(str(folder / "objects/t=0.parquet"), output, PLANE, f"image {number}", None)
    else:
        write_file(str(folder / "figures/montage.png"), PIXELS.tobytes())


def keep_writing(kind: str, folder: Path, number: Any, ended: Event) -> None:  # noqa: ANN401  a shared c_int
    for number.value in count():
        write(kind, folder, number.value)
        if ended.is_set():
            return


def partials(folder: Path) -> list[Path]:
    return list(folder.rglob("*.partial"))


def stop_within_a_file(process: psutil.Process, folder: Path) -> None:
    """Stop the process at moments by chance until it is in the middle of a file."""
    while True:
        process.suspend()
        while process.status() != psutil.STATUS_STOPPED:
            sleep(0.0005)
        if partials(folder):
            return
        process.resume()
        sleep(0.0013)


@pytest.mark.parametrize("killed", [True, False], ids=["killed", "alive"])
@pytest.mark.parametrize("kind", ["chunks", "documents", "tables", "figures"])
def test_what_a_writer_left_is_cleared_away_and_a_living_one_loses_nothing(
    tmp_path: Path,
    kind: str,
    killed: bool,  # noqa: FBT001
) -> None:
    write_image(tmp_path / "source.zarr", PIXELS, version="0.4")
    store_planes(
        create_output(str(tmp_path / "output"), open_level(str(tmp_path / "source.zarr"), "0")), PLANE, PIXELS, FEW
    )
    number, ended = RawValue(c_int, 0), FORKED.Event()
    writer = fork(keep_writing, kind, tmp_path, number, ended)
    assert writer.pid
    stop_within_a_file(psutil.Process(writer.pid), tmp_path)
    if killed:
        writer.kill()
        writer.join()
        assert partials(tmp_path)
    write(kind, tmp_path, number.value)
    assert partials(tmp_path) == []
    after = files(tmp_path)
    if not killed:
        ended.set()
        os.kill(writer.pid, signal.SIGCONT)
        assert exit_codes(writer) == [0]
        assert partials(tmp_path) == []
        now = files(tmp_path)
        assert {name: now.get(name) for name in after} == after
        # An array of Zarr v2 exists once it has its `.zarray`, so that only the first writer adds empty attributes.
        added = {name: now[name] for name in now.keys() - after.keys()}
        assert all(name.endswith("/.zattrs") and json.loads(text) == {} for name, text in added.items())


def note_ways(folder: Path, name: str, ready: Barrier) -> None:
    for number in range(20):
        ready.wait(60)
        add_provenance(
            open_output(str(folder)), Provenance.from_json({"segmentation": {"function": f"{name} {number}"}})
        )


def test_two_processes_that_note_ways_at_once_lose_none(tmp_path: Path) -> None:
    write_image(tmp_path / "source.zarr", PIXELS, version="0.4")
    output = tmp_path / "output"
    create_output(str(output), open_level(str(tmp_path / "source.zarr"), "0"))
    ready = FORKED.Barrier(2)
    assert exit_codes(*[fork(note_ways, output, name, ready) for name in "ab"]) == [0, 0]
    noted = {record.function for record in read_provenance(str(output), "segmentation")}
    assert noted == {f"{name} {number}" for name in "ab" for number in range(20)}
    assert partials(output) == []


def test_what_killed_writers_left_beside_documents_that_exist_is_cleared_away(image: OutputImage, level: Level) -> None:
    record, output = Provenance.from_json({"segmentation": {"function": "a"}}), Path(image.url)
    create_origin_array(image, level.shape)
    add_provenance(image, record)
    write_record(image, record, "recipe", {Plane(0, 0, 0): {}})
    before, folders = files(output), {file.parent for file in output.rglob("*") if file.is_file()}
    assert len(folders) == 9
    for folder in folders:
        (folder / "zarr.0123.partial").touch()
        (folder / ".zattrs.0123.partial").touch()
    create_output(image.url, level, image.name, version=image.format.version)
    assert partials(output) == []
    assert files(output) == before
