"""How the planes of an output came to be: source, segmentation and versions, a document for each way.

A document bears the hash of what it says, so that processes that note ways at once lose none, wherever the output lies
and without a lock.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from idr_assets.imaging.output.nodes import create_group, find_group
from idr_assets.imaging.output.output_image import OutputImage


def provenance_path(labels: str) -> str:
    """Give the path of the group of ways below the image; each is a group in it, with attribute `idr_assets`."""
    return f"labels/{labels}/provenance"


def add_provenance(output: OutputImage, provenance: Mapping[str, Any]) -> None:
    """Note how planes of the output's label group come to be, once for each way."""
    path = provenance_path(output.name)
    name = hashlib.sha256(json.dumps(provenance, sort_keys=True).encode()).hexdigest()[:16]
    create_group(output.url, path, {}, output.format)
    create_group(output.url, f"{path}/{name}", {"idr_assets": dict(provenance)}, output.format)


def read_provenance(url: str, labels: str) -> list[dict[str, Any]]:
    """Tell every way in which planes of a label group came to be, in an order of no meaning that stays."""
    ways = find_group(url, provenance_path(labels))
    groups: Any = [group for _, group in sorted(ways.groups())] if ways is not None else []
    return [group.attrs["idr_assets"] for group in groups]
