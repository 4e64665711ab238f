"""Write whole files, and clear away what killed writers left of theirs.

A file is written below another name, which ends in `.partial`, and renamed; Zarr's local stores do the same. A partial
file tells nothing of its writer, neither by its age nor on another machine, so nobody asks: whoever has written a file
removes every partial file beside it, and a writer who thereby loses its own writes again. This ends, for each writer
clears away but once, when it has written.

On S3 nothing is renamed: an object appears whole when its upload has ended, in one part or in many, and not before.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from errno import EDQUOT, ENOSPC
from fcntl import LOCK_EX, flock
from pathlib import Path
from typing import Any
from uuid import uuid4

from fsspec.core import split_protocol
from zarr.abc.store import Store
from zarr.storage import LocalStore

from idr_assets.imaging.errors import ImageError, masked
from idr_assets.imaging.store_text import cite
from idr_assets.imaging.stores import clients
from idr_assets.imaging.stores.by_address import is_s3, open_filesystem

TRIES = 10
"""How often a file is written at most, which is more than there are writers of the same file at once."""


def write_file(url: str, content: bytes) -> None:
    """Write a file whole or not at all; `ImageError` when there is no space left."""
    filesystem, path = open_filesystem(url)
    write = _put if "s3" in filesystem.protocol else _put_and_rename
    with room(url):
        write(filesystem, path, content)


def remove_file(url: str) -> None:
    """Remove a file, where it is there."""
    filesystem, path = open_filesystem(url)
    _remove(filesystem, path)


def move_file(url: str, target: str) -> None:
    """Give a file another address of the same store, where it is there; on a disk at once, on S3 by a copy."""
    filesystem, path = open_filesystem(url)
    with room(target), suppress(FileNotFoundError):
        filesystem.mv(path, open_filesystem(target)[1])


def file_ends(url: str, names: Sequence[str], length: int) -> list[bytes | None]:
    """Read the last bytes of files in the folder `url`, all of them for length 0, at once; None for what is not there.

    What cannot be read is None too.
    """
    filesystem, root = open_filesystem(url)
    found: list[bytes | Exception] = filesystem.cat_ranges([f"{root}/{name}" for name in names], -length, None)
    for end in found:
        if isinstance(end, Exception):
            end.__traceback__ = None  # which holds all that the callers hold, until the garbage collector comes round
    return [end if isinstance(end, bytes) else None for end in found]


def undisturbed(write: Callable[[], None]) -> None:
    """Call `write`, and again where another writer of the same file took its partial file away."""
    for _ in range(TRIES - 1):
        with suppress(FileNotFoundError):
            return write()
    return write()


def clear_partials(store: Store, folder: str) -> None:
    """Remove the partial files in one folder of a store; of stores that are not local none has any."""
    if isinstance(store, LocalStore):
        with suppress(OSError), os.scandir(f"{store.root}/{folder}") as files:  # what stays is for the next writer
            for left in (file for file in files if file.name.endswith(".partial")):
                Path(left).unlink(missing_ok=True)


@contextmanager
def alone(url: str) -> Iterator[None]:
    """Let one process of this machine at a time into what the block does; on a store without locks, all at once."""
    with ExitStack() as stack:
        with suppress(OSError):
            folder = os.open(split_protocol(url)[1], os.O_RDONLY)
            stack.callback(os.close, folder)  # which gives the lock back, as the end of the process does
            flock(folder, LOCK_EX)
        yield


@contextmanager
def readable(url: str, path: str) -> Iterator[None]:
    """Turn a damaged document of the output, or a store that refuses to read, into an `ImageError` that names it."""
    where = f"{masked(url)}/{path}".rstrip("/")
    try:
        yield
    except FileNotFoundError:
        raise
    except _faults(url) as error:
        message = f"{where} cannot be read ({_said(error)}), so nothing was done. {_remedy(url)}"
        raise ImageError(message) from error
    except ValueError as error:
        message = (
            f"The metadata of {where} are damaged ({_said(error)}), so nothing was done. Restore them from a copy, or "
            "move the output away, after which all of its planes are to be materialized again."
        )
        raise ImageError(message) from error


@contextmanager
def room(url: str) -> Iterator[None]:
    """Turn a full disk, or a place that cannot be written, into an `ImageError` that names the output."""
    try:
        yield
    except _faults(url) as error:
        if getattr(error, "errno", None) not in (ENOSPC, EDQUOT):
            message = f"{masked(url)} cannot be written ({_said(error)}): nothing is stored there. {_remedy(url)}"
            raise ImageError(message) from error
        message = (
            f"No space left for {masked(url)}: this is not stored, and what was stored before is intact. Free space, "
            "or move the output and set IDR_ASSETS_DATA to its new place; then materialize again."
        )
        raise ImageError(message) from error


def _faults(url: str) -> tuple[type[Exception], ...]:
    return (OSError, clients.botocore_errors.BotoCoreError) if is_s3(url) else (OSError,)


def _said(error: Exception) -> str:
    return cite(getattr(error, "strerror", None) or error) or type(error).__name__


def _remedy(url: str) -> str:
    if is_s3(url):
        return "Check IDR_ASSETS_DATA, AWS_ENDPOINT_URL and the credentials, which botocore takes from AWS_* variables."
    return "Set IDR_ASSETS_DATA to a folder that can be, or correct its rights."


def _put(filesystem: Any, path: str, content: bytes) -> None:  # noqa: ANN401  any of fsspec's
    filesystem.pipe_file(path, content)


def _put_and_rename(filesystem: Any, path: str, content: bytes) -> None:  # noqa: ANN401  any of fsspec's
    folder = path.rpartition("/")[0]
    filesystem.makedirs(folder, exist_ok=True)
    undisturbed(lambda: _write(filesystem, path, content))
    for left in filesystem.ls(folder, detail=False):
        if left.startswith(f"{path}.") and left.endswith(".partial"):
            _remove(filesystem, left)


def _write(filesystem: Any, path: str, content: bytes) -> None:  # noqa: ANN401  any of fsspec's
    partial = f"{path}.{uuid4().hex}.partial"
    try:
        filesystem.pipe_file(partial, content)
        filesystem.mv(partial, path)
    except OSError:
        _remove(filesystem, partial)
        raise


def _remove(filesystem: Any, path: str) -> None:  # noqa: ANN401  any of fsspec's
    with suppress(FileNotFoundError):
        filesystem.rm_file(path)
