"""Name a label group of the output anew; planes and records of them stay as they are."""

from typing import Any

import zarr

from idr_assets.imaging.ome_zarr.formats import format_of
from idr_assets.imaging.output.creation import list_labels
from idr_assets.imaging.output.files import move_file
from idr_assets.imaging.output.store_faults import explain_writes
from idr_assets.imaging.stores.by_address import open_store


def rename_labels(url: str, old: str, new: str) -> None:
    """Rename the label group `old` of the output at `url`; raise `ImageError` if it cannot be written."""
    move_file(f"{url}/labels/{old}", f"{url}/labels/{new}")
    with explain_writes(url):
        group = zarr.open_group(open_store(url), path=f"labels/{new}", mode="r+")
        attributes: dict[str, Any] = group.attrs.asdict()
        for image in attributes.get("ome", attributes)["multiscales"]:
            image["name"] = new
        group.attrs.put(attributes)
    list_labels(url, format_of(group.metadata.zarr_format))
