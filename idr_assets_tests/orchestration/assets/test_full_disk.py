"""A real file system without space: planes that no longer fit are named, and all that was stored stays."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from tempfile import mkdtemp

import pytest

SHARED = Path("/dev/shm")  # noqa: S108  a small file system of its own in a container
ROOM = 1_000_000
"""Bytes: the first plane of noise fits, six more do not."""

MOUNTED = ["unshare", "-rm", "sh", "-c", f'mount -t tmpfs -o size={ROOM} tmpfs "$0" && exec "$@"']


def may_mount(folder: Path) -> bool:
    return subprocess.run([*MOUNTED, str(folder), "true"], capture_output=True, check=False).returncode == 0  # noqa: S603


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[tuple[list[str], Path]]:
    """Give a folder with little room, and the words before a command that is to see it."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if shutil.which("unshare") and may_mount(folder):
        yield [*MOUNTED, str(folder)], folder
    elif SHARED.exists() and shutil.disk_usage(SHARED).total < 2**30:
        folder = Path(mkdtemp(dir=SHARED))
        with (folder / "balloon").open("wb") as balloon:
            os.posix_fallocate(balloon.fileno(), 0, shutil.disk_usage(SHARED).free - ROOM)
        yield [], folder
        shutil.rmtree(folder)
    else:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("no small file system: neither unshare -rm nor /dev/shm")


def test_planes_that_do_not_fit_are_named_and_nothing_else_is_lost(
    tmp_path: Path, disk: tuple[list[str], Path]
) -> None:
    prefix, folder = disk
    folders = [str(tmp_path / "embryo"), str(folder)]
    command = [*prefix, sys.executable, "-m", "idr_assets_tests.support.full_disk", *folders]
    Path(folders[0]).mkdir()
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
    assert {everything[key] for key in done} <= set(found["files"])
    assert not [name for name in found["files"] if name.endswith(".partial")]
