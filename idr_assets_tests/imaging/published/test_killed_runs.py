"""A run that is killed while it publishes: a timepoint stays as it was, or says that it is incomplete."""

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import numpy as np
from distributed import Client

from idr_assets.imaging.output.creation import create_output
from idr_assets.imaging.output.files import write_file
from idr_assets.imaging.output.output_image import open_output
from idr_assets.imaging.output.writing import store_planes
from idr_assets.imaging.planes import Block
from idr_assets.imaging.published.creation import create_published
from idr_assets.imaging.published.layout import Layout
from idr_assets.imaging.published.publication import INCOMPLETE, Publication
from idr_assets.imaging.published.slabs import SlabTask
from idr_assets.imaging.published.staging import STAGING
from idr_assets.imaging.reading.level import open_level
from idr_assets_tests.imaging.published.conftest import LOOK
from idr_assets_tests.support.forked import exit_codes, fork
from idr_assets_tests.support.idr_stores import write_image

SHAPE, WINDOW = (1, 2, 3, 20, 30), Block(range(1), (0, 1), range(3))


def publish(folder: Path, labels: int, kill: tuple[str, int] | None = None) -> None:
    """Store labels and publish them; kill this process when it renames from or to such a place for the nth time."""
    output = open_output(str(folder / "image.ome.zarr"))
    store_planes(output, WINDOW, np.ones(SHAPE, "u2"), np.full(SHAPE, labels, np.int32))
    url = str(folder / "published.ome.zarr")
    layout = Layout(WINDOW, WINDOW, SHAPE[3:], np.dtype("u2"))
    task = SlabTask(url, output.url, {"segmentation": WINDOW.c}, layout, f"{url}/{STAGING}/run")
    create_published(task, open_level(output.url, "0").geometry, LOOK)
    seen = 0

    def end(event: str, about: tuple[Any, ...]) -> None:
        nonlocal seen
        if kill and event == "os.rename":
            seen += kill[0] in f"{about[0]}>{about[1]}".replace(url, "")
            if seen == kill[1]:
                os.kill(os.getpid(), signal.SIGKILL)

    def write_tables(_t: int, place: str) -> None:
        write_file(f"{place}/tables/objects/table.parquet/t=000000.parquet", str(labels).encode())

    sys.addaudithook(end)
    with Client(processes=False, n_workers=1, threads_per_worker=1, dashboard_address=None) as client:
        publication = Publication(task, [output], write_tables, f"run {labels}", lambda: None)
        assert len([*publication.publish(client, [0])]) == len(WINDOW)


def state(folder: Path) -> tuple[Any, dict[str, bytes]]:
    """Read what is known of the timepoint, and its files."""
    root = folder / "published.ome.zarr"
    known = json.loads((root / "zarr.json").read_text())["attributes"]["idr_assets"]["timepoints"]["0"]
    files = [file for pattern in ("c/**/*", "*.parquet") for file in root.rglob(pattern) if file.is_file()]
    return known, {key: file.read_bytes() for file in files if STAGING not in (key := str(file.relative_to(root)))}


KILLS = {
    "while it gathers files": ("/.new/run/0/labels/segmentation/0/c/0/0/0/0/0", 1),
    "while it puts them in place": (">/labels/segmentation/0/c/0/1/0/0/0", 1),
    "before it notes the end": (">/zarr.json", 1),
}
"""In this order: a run that finds the timepoint incomplete does not note that again."""


def test_a_timepoint_is_the_old_one_or_incomplete_and_the_next_run_mends_it(tmp_path: Path) -> None:
    write_image(tmp_path / "source.zarr", np.ones(SHAPE, "u2"), version="0.4")
    create_output(str(tmp_path / "image.ome.zarr"), open_level(str(tmp_path / "source.zarr"), "0"))
    assert exit_codes(fork(publish, tmp_path, 1)) == [0]
    known, files = state(tmp_path)
    assert (known["run"], len(files)) == ("run 1", 5)
    for when, kill in KILLS.items():
        assert exit_codes(fork(publish, tmp_path, 2, kill)) == [-signal.SIGKILL], when
        killed, left = state(tmp_path)
        assert killed == (known if "gathers" in when else INCOMPLETE), when
        assert (left == files) == (killed == known), when
    assert exit_codes(fork(publish, tmp_path, 2)) == [0]
    mended, new = state(tmp_path)
    assert (mended["run"], new.keys()) == ("run 2", files.keys())
    assert {key for key in files if files[key] != new[key]} == {key for key in files if not key.startswith("0/")}
    assert not (tmp_path / "published.ome.zarr" / STAGING).exists()
