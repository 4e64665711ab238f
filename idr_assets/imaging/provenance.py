"""How the planes of an output came to be: source, segmentation and versions, a document for each way.

A document bears the hash of what it says, so that processes that note ways at once lose none, wherever the output lies
and without a lock.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import zarr
from zarr.errors import GroupNotFoundError

from idr_assets.imaging.nodes import create_node
from idr_assets.imaging.stores import open_store

PROVENANCE = "labels/segmentation/provenance"
"""Path of the group of ways below the image; each way is a group in it, with the way as attribute `idr_assets`."""


def add_provenance(url: str, provenance: Mapping[str, Any]) -> None:
    """Note how planes of the output at `url` come to be, once for each way."""
    way = hashlib.sha256(json.dumps(provenance, sort_keys=True).encode()).hexdigest()[:16]
    attributes = {"idr_assets": dict(provenance)}
    create_node(url, PROVENANCE, lambda store: zarr.create_group(store, path=PROVENANCE))
    create_node(
        url,
        f"{PROVENANCE}/{way}",
        lambda store: zarr.create_group(store, path=f"{PROVENANCE}/{way}", attributes=attributes),
    )


def read_provenance(url: str) -> list[dict[str, Any]]:
    """Tell every way in which planes of the output came to be, in an order of no meaning that stays."""
    try:
        ways = zarr.open_group(open_store(url), path=PROVENANCE, mode="r")
    except GroupNotFoundError:
        return []
    groups: Any = [group for _, group in sorted(ways.groups())]
    return [group.attrs["idr_assets"] for group in groups]
