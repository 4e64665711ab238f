"""One at a time: who tells Dagster of planes, and who deletes or renames them, so that it counts what is stored."""

from contextlib import AbstractContextManager
from pathlib import Path

import dagster as dg

from idr_assets.orchestration.image import Image
from idr_assets.orchestration.proof_of_life import wait_for


def lock_records(instance: dg.DagsterInstance, image: Image) -> AbstractContextManager[None]:
    """Keep other processes that use the folder of the instance from the records and labels of an image.

    Whoever looks at what is stored and then tells Dagster of it, does both within one lock.
    """
    return wait_for(Path(instance.root_directory, "idr_assets", "locks", *image.key("plane_labels")))
