"""Create the output, its groups and arrays: once, whichever process is first, and never over another image."""

from functools import partial
from typing import Any

import numpy as np
import zarr

from idr_assets.imaging.errors import mask
from idr_assets.imaging.ome_zarr.formats import FORMATS, Format, Version
from idr_assets.imaging.ome_zarr.geometry import Geometry, read_geometry
from idr_assets.imaging.output.attributes import (
    complete_geometry,
    describe_again,
    describe_image,
    describe_label_groups,
    describe_labels,
    describe_source,
)
from idr_assets.imaging.output.disk_files import clear_documents, retry_write
from idr_assets.imaging.output.growth import grow_array
from idr_assets.imaging.output.nodes import create_group, create_node, list_label_groups
from idr_assets.imaging.output.output_image import SEGMENTATION, OutputImage, open_output
from idr_assets.imaging.output.refusals import check_extent, check_level, check_owner
from idr_assets.imaging.output.store_faults import explain_writes
from idr_assets.imaging.reading.level import Level
from idr_assets.imaging.stores.by_address import open_store

LONGEST_CHUNK = 2048
"""Height and width in pixels up to which a plane is one chunk, about 4 megapixels; also the most slices of a chunk."""


def create_output(url: str, level: Level, name: str = SEGMENTATION, *, version: Version = "0.5") -> OutputImage:
    """Create the output for a level and its label group, unless they exist, and open it.

    Each document is written whole, from the root downwards, and only if it does not exist: processes that do this at
    once agree, and what a killed one did not write, the next one does. If the output exists, its axes, scale and
    translation become those of the level, and all arrays as long in T and Z.

    Parameters
    ----------
    url : str
        Address of the output.
    level : Level
        The source, whose shape, dtype and geometry the output gets.
    name : str
        Name of the label group.
    version : {"0.5", "0.4"}
        Version of OME-Zarr, written as Zarr v3 or v2.

    Raises
    ------
    ImageError
        If the source itself, another image, or an output of another version, level, shape or dtype is at `url`, and
        nothing was written; or if the output cannot be written, for example because the disk is full.

    """
    written_as, source = FORMATS[version], level.url.rstrip("/").rpartition("/")[2]
    check_owner(url, level, version)
    clear_documents(url)
    of_image = describe_image(level, source, written_as) | {"idr_assets": describe_source(level)}
    create_group(url, "", of_image, written_as)
    check_level(url, level)
    check_extent(url, level, name)
    create_group(url, "labels", describe_label_groups([name], written_as), written_as)
    of_labels = describe_labels(level, name, written_as) | {"idr_assets": {"provenance": "provenance"}}
    create_group(url, f"labels/{name}", of_labels, written_as)
    create_array(url, "0", level.shape, level.dtype.newbyteorder("="), written_as)
    create_array(url, f"labels/{name}/0", level.shape, np.dtype(np.int32), written_as)
    list_labels(url, written_as)
    check_extent(url, level, name)  # again, because another process may have been first
    _follow(url, level, written_as)
    return open_output(url, name)


def _follow(url: str, level: Level, written_as: Format) -> None:
    """Give pixels and labels the axes, scale, translation and length that the level has now.

    Each group and array is written whole, one after the other: what a killed process did not write, the next one does.
    """
    for place in [url, *(f"{url}/labels/{name}" for name in list_label_groups(url))]:
        store = open_store(place)
        with explain_writes(url):
            group = zarr.open_group(store, mode="r+", use_consolidated=False)
            attributes = group.attrs.asdict()
            ours = "idr_assets" in attributes
            if ours and not _describes(attributes, read_geometry(mask(place), "0", store), level):
                retry_write(partial(group.attrs.put, describe_again(attributes, level, written_as)))
        if ours:
            grow_array(place, "0", level.shape)


def _describes(attributes: dict[str, Any], geometry: Geometry, level: Level) -> bool:
    """Return whether a group of the output says what the level says now; only the image itself names channels."""
    own = attributes["idr_assets"]
    named = "level" not in own or own == describe_source(level)
    return named and geometry == complete_geometry(level)


def list_labels(url: str, written_as: Format) -> None:
    """List the label groups that exist; whoever wrote the list looks again, so that none of several writers is lost."""
    with explain_writes(url):
        group = zarr.open_group(open_store(url), path="labels", mode="r+")
        while (noted := group.attrs.asdict()) != (
            found := noted | describe_label_groups(list_label_groups(url), written_as)
        ):
            retry_write(partial(group.attrs.put, found))
            group = zarr.open_group(open_store(url), path="labels", mode="r+")


def create_array(  # noqa: PLR0913
    url: str, path: str, shape: tuple[int, ...], dtype: np.dtype[Any], written_as: Format, *, slices: int = 1
) -> None:
    """Create an array of the output with this shape (t, c, z, y, x), unless it exists.

    A chunk contains up to `slices` slices of a timepoint and channel, or a part of a large plane.
    """
    sizes = (min(length, LONGEST_CHUNK) for length in (slices, *shape[3:]))
    options: dict[str, Any] = {"fill_value": 0, "zarr_format": written_as.zarr_format, **written_as.array}
    create = partial(zarr.create_array, name=path, shape=shape, dtype=dtype, chunks=(1, 1, *sizes), **options)
    create_node(url, create)
