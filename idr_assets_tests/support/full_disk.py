"""A run on a file system that gets full, as a process of its own: prints as JSON what came of it.

`python -m idr_assets_tests.support.full_disk PROJECT DISK`: DISK is a folder with room for one plane and a few.
"""

import json
import os
import sys
from pathlib import Path

import dagster as dg
import numpy as np

from idr_assets_tests.support.small_image import Segmented, write_project

NOISE = np.random.default_rng(0).integers(0, 2**16, (2, 1, 4, 300, 300), np.uint16)
FIELDS = {"shape": str(list(NOISE.shape)), "channels": "[0]", "window": "{t: all, z: all}", "published": "true"}


def main(root: Path, disk: Path) -> None:
    """Segment and publish one plane, then all until the disk is full; print failures, what is done, and the files."""
    os.environ["IDR_ASSETS_DATA"] = str(disk)
    project = write_project(root, NOISE, **FIELDS, url=str(root / "data/source.zarr"))
    with dg.DagsterInstance.ephemeral(settings={"telemetry": {"enabled": False}}) as instance:
        segmented = Segmented(project, instance)
        first = segmented.run("plane_labels", "0|0")
        output, published = disk / "image.ome.zarr", disk / "image/published.ome.zarr"
        first += segmented.run("published", "0")
        before, shards = _files(output), _files(published / "0/c")
        failure = segmented.run("plane_labels", "0|1", "1|3")
        after = _files(output)
        unpublished = segmented.run("published", "0", "1")
        found = {
            "first": first,
            "failure": failure,
            "materialized": sorted(segmented.materialized()),
            "intact": before.items() <= after.items(),
            "files": sorted(after),
            "unpublished": unpublished,
            "shards intact": bool(shards) and _files(published / "0/c") == shards,
        }
    print(json.dumps(found))  # noqa: T201  what the test reads


def _files(folder: Path) -> dict[str, str]:
    return {str(file.relative_to(folder)): file.read_bytes().hex() for file in folder.rglob("*") if file.is_file()}


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
