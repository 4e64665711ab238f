"""A small image that is published, and what lies in its folder."""

import json
from typing import Any

from idr_assets_tests.support.small_image import FIELDS, Segmented

WANTED = {"published": "true"}


def publish(fresh: Segmented, *timepoints: str) -> list[bool]:
    """Publish timepoints; tell which of them were written."""
    assert fresh.run("published", timepoints[0], timepoints[-1]) == ""
    return [fresh.metadata("published", t)["published in this run"] for t in timepoints]


def shards(fresh: Segmented) -> dict[str, bytes]:
    """Read all shards, by their place below the published image."""
    return files(fresh, "c/**/*")


def files(fresh: Segmented, pattern: str) -> dict[str, bytes]:
    """Read files of the published image, by their place below it."""
    root = fresh.project.root / "data/image/published.ome.zarr"
    return {str(file.relative_to(root)): file.read_bytes() for file in root.rglob(pattern) if file.is_file()}


def own(fresh: Segmented) -> dict[str, Any]:
    document = (fresh.project.root / "data/image/published.ome.zarr/zarr.json").read_text()
    found: dict[str, Any] = json.loads(document)["attributes"]["idr_assets"]
    return found


def segment_most(fresh: Segmented) -> Segmented:
    """Segment all planes but one of each channel of an image that is published."""
    fresh.project.write(**FIELDS | WANTED)
    assert fresh.run("plane_labels", "1|09") == fresh.run("plane_labels", "2|09", "2|10") == ""
    return fresh
