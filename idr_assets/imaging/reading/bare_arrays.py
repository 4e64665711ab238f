"""Zarr arrays without OME-Zarr metadata: their axes are what a person says."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

import zarr

from idr_assets.imaging.errors import ImageError, is_web, mask, split_address
from idr_assets.imaging.ome_zarr.axes import AXES, are_axes
from idr_assets.imaging.reading.chunk_store import ChunkStore
from idr_assets.imaging.reading.retries import Patience
from idr_assets.imaging.store_text import quote, show_address
from idr_assets.imaging.stores.by_address import open_source_store


class BareArrayError(ImageError):
    """At an address is an array without OME-Zarr metadata, which can be read if its axes are named.

    Attributes
    ----------
    folder, path : str
        The address of the folder above it, and its path below this.
    axes : tuple of str
        The names of its dimensions, if they are axes; () otherwise.

    """

    def __init__(self, url: str, array: zarr.Array[Any]) -> None:
        """Say what to write for it."""
        self.folder, name = split_address(url)
        self.path = unquote(name) if is_web(url) else name
        names = tuple(str(each).lower() for each in getattr(array.metadata, "dimension_names", None) or ())
        self.axes = names if are_axes(names) else ()
        example = ", ".join(self.axes or AXES[-array.ndim :])
        super().__init__(
            f"{mask(url)} is a Zarr array of shape {array.shape} without OME-Zarr metadata: which dimension is which "
            f"is not known, and nothing is read. Write `url: {show_address(mask(self.folder))}`, `level: "
            f"{quote(self.path)}`, and the axis of each dimension, such as `axes: [{example}]`; `idr-assets add` takes "
            f"it by `--axes {example.replace(', ', '')}`."
        )


def explain_array(url: str, storage_options: Mapping[str, Any] | None, patience: Patience) -> BareArrayError | None:
    """Explain the array at an address; None where there is none, or it lies below no folder."""
    try:
        array = zarr.open_array(ChunkStore(open_source_store(url, storage_options), url, patience), mode="r")
    except (ImageError, ImportError, OSError, RuntimeError, ValueError, TypeError, KeyError):
        return None
    return BareArrayError(url, array) if split_address(url)[1] else None
