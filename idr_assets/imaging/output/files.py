"""Write whole files, and remove what killed writers left.

`disk_files` says how on a disk. On S3 nothing is renamed: an object appears whole when its upload has ended.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from fcntl import LOCK_EX, flock
from functools import partial
from glob import escape
from typing import Any
from uuid import uuid4

from idr_assets.imaging.output.disk_files import TRIES, read_end, retry_write, write_beside
from idr_assets.imaging.output.store_faults import explain_writes
from idr_assets.imaging.stores.by_address import is_local, is_s3, open_filesystem

CHANGED_MEANWHILE = {"PreconditionFailed", "ConditionalRequestConflict"}
"""What S3 answers to a conditional upload if the object is another one now."""


def write_file(url: str, content: bytes | bytearray) -> None:
    """Write a file whole or not at all; raise `ImageError` if it cannot be written."""
    filesystem, path = open_filesystem(url)
    with explain_writes(url):
        if is_s3(url):
            filesystem.pipe_file(path, content)
        elif is_local(url):
            write_beside(path, content)
        else:
            _write_and_rename(filesystem, path, content)


def update_file(url: str, change: Callable[[bytes], bytes]) -> None:
    """Replace the content of a file by what `change` makes of it; raise `ImageError` if it cannot be written.

    Several processes may do this at once, and each change is kept. On a disk they must run on one machine.
    """
    filesystem, path = open_filesystem(url)
    with explain_writes(url):
        if is_s3(url):
            _update_object(filesystem, path, change)
        else:
            with lock_folder(url.rpartition("/")[0]):
                _write_if_new(filesystem.cat_file(path), change, partial(write_file, url))


def remove_file(url: str) -> None:
    """Remove a file if it exists; raise `ImageError` if it cannot be removed."""
    filesystem, path = open_filesystem(url)
    with explain_writes(url), suppress(FileNotFoundError):
        filesystem.rm_file(path)


def exists(url: str) -> bool:
    """Return whether a file or folder exists."""
    filesystem, path = open_filesystem(url)
    return bool(filesystem.lexists(path) if is_local(url) else filesystem.exists(path))


def remove_tree(url: str) -> None:
    """Remove a file, or a folder with all that is in it, if it exists; of a link, the link alone."""
    filesystem, path = open_filesystem(url)
    with explain_writes(url), suppress(FileNotFoundError):
        filesystem.rm(escape(path) if is_s3(url) else path, recursive=True)  # s3fs takes `[1]` for a pattern
        if is_s3(url) and filesystem.exists(path):  # s3fs does not say what the store refuses to delete
            message = f"the store keeps {path}"
            raise PermissionError(message)


def move_file(url: str, target: str) -> None:
    """Move a file or folder, if it exists, to a new address of the same store: on a disk in one step."""
    filesystem, path = open_filesystem(url)
    with explain_writes(target), suppress(FileNotFoundError):
        place = open_filesystem(target)[1]
        if is_s3(url):  # where `mv` leaves a folder behind
            files = filesystem.find(path)
            filesystem.copy(files, [place + file.removeprefix(path) for file in files], on_error="raise")
            remove_tree(url)
        else:
            filesystem.makedirs(place.rpartition("/")[0], exist_ok=True)
            filesystem.mv(path, place, recursive=True)


def read_ends(url: str, names: Sequence[str], length: int) -> list[bytes | None]:
    """Read the last `length` bytes of files in the folder `url`, or whole files if it is 0, all at once.

    None stands for a file that does not exist or cannot be read.
    """
    filesystem, root = open_filesystem(url)
    if is_local(url):
        return [read_end(f"{root}/{name}", length) for name in names]
    found: list[bytes | Exception] = filesystem.cat_ranges([f"{root}/{name}" for name in names], -length, None)
    for end in found:
        if isinstance(end, Exception):
            end.__traceback__ = None  # it would keep everything that the callers hold in memory
    return [end if isinstance(end, bytes) else None for end in found]


def _update_object(filesystem: Any, path: str, change: Callable[[bytes], bytes]) -> None:  # noqa: ANN401  of fsspec
    for tries in range(1, TRIES + 1):
        tag = filesystem.info(path)["ETag"]  # before the content, so that the store refuses if that changes after it
        try:
            _write_if_new(filesystem.cat_file(path), change, partial(filesystem.pipe_file, path, IfMatch=tag))
            break
        except OSError as error:
            answer = getattr(error.__cause__, "response", {}).get("Error", {})
            if tries == TRIES or answer.get("Code") not in CHANGED_MEANWHILE:
                raise


def _write_if_new(old: bytes, change: Callable[[bytes], bytes], write: Callable[[bytes], None]) -> None:
    if (new := change(old)) != old:
        write(new)


@contextmanager
def lock_folder(url: str) -> Iterator[None]:
    """Let one process of this machine at a time enter, and make the folder; on a store without locks, all of them."""
    with ExitStack() as stack:
        with suppress(OSError):
            folder = open_filesystem(url)[1]
            if is_local(url):
                os.makedirs(folder, exist_ok=True)  # noqa: PTH103  as os.open, which pathlib lacks
            opened = os.open(folder, os.O_RDONLY)
            stack.callback(os.close, opened)  # which releases the lock, as the end of the process does
            flock(opened, LOCK_EX)
        yield


def _write_and_rename(filesystem: Any, path: str, content: bytes | bytearray) -> None:  # noqa: ANN401  any of fsspec's
    folder = path.rpartition("/")[0]
    filesystem.makedirs(folder, exist_ok=True)
    retry_write(lambda: _write_once(filesystem, path, content))
    for left in filesystem.ls(folder, detail=False):
        if left.startswith(f"{path}.") and left.endswith(".partial"):
            with suppress(FileNotFoundError):
                filesystem.rm_file(left)


def _write_once(filesystem: Any, path: str, content: bytes | bytearray) -> None:  # noqa: ANN401  any of fsspec's
    temporary = f"{path}.{uuid4().hex}.partial"
    try:
        filesystem.pipe_file(temporary, content)
        filesystem.mv(temporary, path)
    except OSError:
        with suppress(FileNotFoundError):
            filesystem.rm_file(temporary)
        raise
