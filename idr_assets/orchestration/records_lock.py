"""One at a time: who tells Dagster of planes, and who deletes or renames them, so that it counts what is stored."""

import fcntl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import dagster as dg

from idr_assets.orchestration.image import Image


@contextmanager
def lock_records(instance: dg.DagsterInstance, image: Image) -> Iterator[None]:
    """Keep other processes that use the folder of the instance from the records and labels of an image.

    Waits until nobody else does this. Does nothing if the folder is not writable, or its file system has no locks.
    Whoever looks at what is stored and then tells Dagster of it, does both within one lock.
    """
    path = Path(instance.root_directory, "idr_assets", "locks", *image.key("plane_labels"))
    with ExitStack() as stack:
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            fcntl.flock(stack.enter_context(path.open("a")), fcntl.LOCK_EX)  # released when closed, or by a kill
        yield
