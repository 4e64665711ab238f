"""Create a published image: its groups and arrays, which Zarr makes in memory, so that each document is written whole.

Shards of another layout fit nowhere: they are removed before the first document of a new one is written. An image that
holds any timepoint gets a successor instead (`succession`).
"""

import json
from typing import Any

import numpy as np
import zarr
from zarr.storage import MemoryStore

from idr_assets.imaging.errors import ImageError, mask
from idr_assets.imaging.ome_zarr.geometry import Geometry
from idr_assets.imaging.output.files import read_ends, remove_tree, write_file
from idr_assets.imaging.output.nodes import list_names, read_attributes
from idr_assets.imaging.published.attributes import (
    FORMAT,
    Look,
    describe_labels,
    describe_labels_of_image,
    describe_origin,
    describe_pixels,
)
from idr_assets.imaging.published.layout import Layout
from idr_assets.imaging.published.records import hide_places
from idr_assets.imaging.published.slabs import SlabTask
from idr_assets.imaging.published.succession import FIRST, ROOT, fits
from idr_assets.imaging.published.tables import describe_tables, keep_columns, name_tables


def create_published(task: SlabTask, geometry: Geometry, look: Look) -> None:
    """Write what does not exist, or differs; what is known of timepoints stays as long as their shards fit.

    Raises
    ------
    ImageError
        If something else lies at the address, and nothing was written; or if it cannot be written.

    """
    wanted = _documents(task, geometry, look)
    stored = dict(zip(wanted, read_ends(task.url, [*wanted], 0), strict=True))
    found = {*list_names(task.url)}
    own = read_attributes(stored[ROOT] or b"").get("idr_assets", {})
    if found and "published" not in own:
        message = (
            f"{mask(task.url)} is where the published image goes, but something else lies there. Its files would be "
            "overwritten, so nothing was written. Move it away, or rename the folder of the YAML."
        )
        raise ImageError(message)
    same = fits(stored[FIRST], task.layout)
    within = {f"{it}/{name}" for it in ("labels", "tables") for name in list_names(f"{task.url}/{it}")}
    others = found - {ROOT} if not same else within - {"/".join(key.split("/")[:2]) for key in wanted}
    for objects, _ in name_tables(task.names).values():
        key = f"tables/{objects}/{FORMAT.group}"
        wanted[key] = keep_columns(wanted[key], stored[key] if same else None)
    wanted[ROOT] = _keep(wanted[ROOT], own if same else {})
    write_file(f"{task.url}/{ROOT}", wanted[ROOT])  # first: it shows whose folder this is
    for name in others:
        remove_tree(f"{task.url}/{name}")
    for key in wanted.keys() - {ROOT, FIRST}:
        if not same or stored[key] != wanted[key]:
            write_file(f"{task.url}/{key}", wanted[key])
    if stored[FIRST] != wanted[FIRST]:
        write_file(f"{task.url}/{FIRST}", wanted[FIRST])


def _documents(task: SlabTask, geometry: Geometry, look: Look) -> dict[str, bytes]:
    """Return the document of each group and array, by its key."""
    layout, documents = task.layout, dict[str, Any]()
    store = MemoryStore(documents)
    own = {"idr_assets": {"published": describe_origin(layout), "timepoints": {}, "recipes": {}}}
    groups = {"": describe_pixels(layout, geometry, look) | own, "labels": describe_labels_of_image(task.names)}
    groups |= {f"labels/{name}": describe_labels(layout, geometry, name) for name in task.names}
    groups |= describe_tables(task.names)
    for path, attributes in groups.items():
        zarr.create_group(store, path=path, attributes=attributes, zarr_format=3)
    _create_arrays(store, "", layout, layout.dtype)
    for name in task.names:
        _create_arrays(store, f"labels/{name}/", layout, np.dtype(np.int32))
    return {key: document.to_bytes() for key, document in documents.items()}


def _create_arrays(store: MemoryStore, path: str, layout: Layout, dtype: np.dtype[Any]) -> None:
    extent = layout.extent
    for level in layout.levels:
        sides = [length * step for length, step in zip(level.grid, level.tile, strict=True)]
        zarr.create_array(
            store,
            name=f"{path}{level.path}",
            shape=(len(extent.t), len(extent.c), len(extent.z), *level.shape),
            dtype=dtype,
            chunks=(1, 1, 1, *level.tile),
            shards=(1, 1, level.depth, *sides),
            fill_value=0,
            zarr_format=3,
            attributes={"idr_assets": {"layout": layout.mark}},
            **FORMAT.array,
        )


def _keep(document: bytes, own: dict[str, Any]) -> bytes:
    """Keep in a new document of the image what the stored one knows of timepoints."""
    content = json.loads(document)
    kept = {"timepoints": own.get("timepoints", {}), "recipes": hide_places(own.get("recipes", {}))}
    content["attributes"]["idr_assets"] |= kept
    return json.dumps(content, indent=2).encode()
