"""One at a time: who tells Dagster of planes, and who deletes or renames them, so that it counts what is stored."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg

from idr_assets.orchestration.image import Image
from idr_assets.orchestration.proof_of_life import wait_for


@contextmanager
def lock_records(instance: dg.DagsterInstance, image: Image) -> Iterator[None]:
    """Keep other processes that use the folder or the database of the instance from the records and labels of an image.

    Whoever looks at what is stored and then tells Dagster of it, does both within one lock.
    """
    from idr_assets.orchestration.event_log import lock_in_database  # noqa: PLC0415

    path = image.key("plane_labels")
    with wait_for(Path(instance.root_directory, "idr_assets", "locks", *path)), lock_in_database(instance, str(path)):
        yield
