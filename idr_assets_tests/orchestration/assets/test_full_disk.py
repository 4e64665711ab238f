"""A real file system without space: planes that no longer fit are named, and all that was stored stays."""

import json
import subprocess
import sys
from itertools import product
from pathlib import Path

from idr_assets_tests.support.small_disk import small_disk

ROOM = 1_200_000
"""Bytes: the first plane of noise fits, published too, six more do not."""


def test_planes_that_do_not_fit_are_named_and_nothing_else_is_lost(tmp_path: Path) -> None:
    (tmp_path / "embryo").mkdir()
    with small_disk(tmp_path / "disk", ROOM) as (prefix, folder):
        folders = [str(tmp_path / "embryo"), str(folder)]
        command = [*prefix, sys.executable, "-m", "idr_assets_tests.support.full_disk", *folders]
        printed = subprocess.run(command, capture_output=True, check=False, text=True)  # noqa: S603
    assert printed.returncode == 0, printed.stderr
    found = json.loads(printed.stdout.splitlines()[-1])
    labels = "labels/segmentation/0/c/{}/0/{}/0/0"
    everything = {f"{t}|{z}": labels.format(t, z) for t, z in [(0, 0), *product(range(2), range(1, 4))]}
    done, missing = set(found["materialized"]), everything.keys() - set(found["materialized"])
    assert found["first"] == ""
    assert "0|0" in done
    assert missing
    first, *others = ("t {} c 0 z {}".format(*key.split("|")) for key in sorted(missing))
    assert f"{first}: ImageError: No space left for {folder}/image.ome.zarr: this is not stored" in found["failure"]
    assert all(plane in found["failure"] for plane in others)
    assert "Free space, or move the output and set IDR_ASSETS_DATA" in found["failure"]
    assert found["intact"]
    new = len(done) > 1  # which planes fit differs; without a new one there is nothing to publish
    assert ("ImageError: No space left for" in found["unpublished"]) == new
    assert found["shards intact"]
    assert {everything[key] for key in done} <= set(found["files"])
    assert not [name for name in found["files"] if name.endswith(".partial")]
