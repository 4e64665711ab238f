"""Write whole files on a disk, and remove what killed writers left.

A file is written under another name that ends in `.partial`, then renamed; Zarr's local stores do the same.
Nothing tells whether the writer of a partial file is still alive: neither the file's age nor, from another machine, its
process. So whoever has written a file removes every partial file beside it, and a run, before it writes, those beside
the documents of its output. A writer that loses its own in this way writes again. This ends, because each removes
partial files only once.
"""

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from itertools import chain
from pathlib import Path
from uuid import uuid4

from zarr.abc.store import Store
from zarr.storage import LocalStore

from idr_assets.imaging.stores.by_address import is_local, open_filesystem

RECORDS = "labels/*/provenance/"

OF_DOCUMENTS = ("", "0/", "origins/", "labels/", "labels/*/", "labels/*/0/", RECORDS, f"{RECORDS}*/", f"{RECORDS}*/*/")
"""Patterns of the folders of an output in which its documents are."""

TRIES = 10
"""How often a file is written at most: more than there are writers of the same file at once."""


def retry_write[T](write: Callable[[], T]) -> T:
    """Call `write`, and again if another writer of the same file removed its partial file."""
    for _ in range(TRIES - 1):
        with suppress(FileNotFoundError):
            return write()
    return write()


def write_beside(path: str, content: bytes | bytearray) -> None:
    """Write a file of a disk under another name, rename it, and remove partial files beside it.

    Its folder is made if it does not exist; nobody has left anything in a new one.
    """
    folder = path.rpartition("/")[0]
    new = _make_folder(folder)
    retry_write(partial(_write_renamed, path, content))
    if not new:
        clear_folder(folder)


def read_end(path: str, length: int) -> bytes | None:
    """Read the last `length` bytes of a file of a disk, or all if it is 0; None if it cannot be read."""
    try:
        opened = os.open(path, os.O_RDONLY)
    except OSError:
        return None
    try:
        size = os.fstat(opened).st_size
        return os.pread(opened, length or size, max(0, size - length) if length else 0)
    except OSError:
        return None
    finally:
        os.close(opened)


def clear_partials(store: Store, folder: str) -> None:
    """Remove the partial files in one folder of a store; only local stores have any."""
    if isinstance(store, LocalStore):
        clear_folder(f"{store.root}/{folder}")


def clear_folder(folder: str) -> None:
    """Remove the partial files in a folder of a disk."""
    with suppress(OSError), os.scandir(folder) as files:  # the next writer removes what stays
        for left in (file for file in files if file.name.endswith(".partial")):
            Path(left).unlink(missing_ok=True)


def clear_documents(url: str, folders: Sequence[str] = OF_DOCUMENTS) -> None:
    """Remove the partial files of documents below `url`, in folders as patterns, as a run does before it writes any.

    Files of chunks are left to those who write the same planes.
    """
    if is_local(url):
        root = Path(open_filesystem(url)[1])
        for left in chain.from_iterable(root.glob(f"{folder}*.partial") for folder in folders):
            left.unlink(missing_ok=True)


def _make_folder(folder: str) -> bool:
    """Make a folder, and those above it; return whether it is new."""
    try:
        os.mkdir(folder)  # noqa: PTH102  pathlib takes as long as the disk
    except FileExistsError:
        return False
    except FileNotFoundError:
        _make_folder(folder.rpartition("/")[0])
        return _make_folder(folder)
    return True


def _write_renamed(path: str, content: bytes | bytearray) -> None:
    folder, _, name = path.rpartition("/")
    temporary = f"{folder}/.{name}.{uuid4().hex}.partial"  # hidden, so that readers of a folder of tables leave it out
    try:
        with open(temporary, "xb") as file:  # noqa: PTH123  as above
            file.write(content)
        os.replace(temporary, path)  # noqa: PTH105  as above
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)  # noqa: PTH108  as above
        raise
