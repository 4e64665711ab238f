"""A real file system with little room, for a process that is to fill it."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

import pytest

SHARED = Path("/dev/shm")  # noqa: S108  a small file system of its own in a container


@contextmanager
def small_disk(folder: Path, room: int) -> Iterator[tuple[list[str], Path]]:
    """Give the words before a command that is to see a folder with so many bytes, and the folder.

    Without one the test is skipped; in continuous integration it fails.
    """
    folder.mkdir()
    mounted = ["unshare", "-rm", "sh", "-c", f'mount -t tmpfs -o size={room} tmpfs "$0" && exec "$@"', str(folder)]
    if shutil.which("unshare") and subprocess.run([*mounted, "true"], capture_output=True, check=False).returncode == 0:  # noqa: S603
        yield mounted, folder
    elif SHARED.exists() and shutil.disk_usage(SHARED).total < 2**30:
        folder = Path(mkdtemp(dir=SHARED))
        with (folder / "balloon").open("wb") as balloon:
            os.posix_fallocate(balloon.fileno(), 0, shutil.disk_usage(SHARED).free - room)
        yield [], folder
        shutil.rmtree(folder)
    else:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("no small file system: neither unshare -rm nor /dev/shm")
