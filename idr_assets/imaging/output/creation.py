"""Make the output: its groups and arrays, once, whoever comes first, and never over another one."""

from functools import partial
from typing import Any

import numpy as np
import zarr

from idr_assets.imaging.errors import masked
from idr_assets.imaging.ome_zarr.formats import FORMATS, Format, Version
from idr_assets.imaging.ome_zarr.geometry import read_geometry
from idr_assets.imaging.output.attributes import (
    image_attributes,
    label_attributes,
    list_attributes,
    moved,
    written_geometry,
)
from idr_assets.imaging.output.files import clear_partials, retry_write
from idr_assets.imaging.output.growth import grow_array
from idr_assets.imaging.output.nodes import create_group, create_node
from idr_assets.imaging.output.output_image import SEGMENTATION, OutputImage, label_groups, open_output
from idr_assets.imaging.output.refusals import check_extent, check_level, check_owner
from idr_assets.imaging.output.store_faults import explain_writes
from idr_assets.imaging.reading.level import Level
from idr_assets.imaging.stores.by_address import open_store

LONGEST_CHUNK = 2048
"""Height and width in pixels up to which a plane is one chunk: about 4 megapixels; also the most slices of a chunk."""


def create_output(url: str, level: Level, name: str = SEGMENTATION, *, version: Version = "0.5") -> OutputImage:
    """Make the output for `level` at `url`, and its label group `name`, unless they are there, and open it.

    `version` is that of OME-Zarr, 0.5 (Zarr v3) or 0.4 (Zarr v2).
    Each document is written whole, from the root downwards, and only where there is none: processes that create at
    once agree, and one that was killed leaves the rest to the next. Of an output that is there, axes, scale and
    translation follow those of the level, and all arrays grow with its T and Z.
    Raises `ImageError` when another image is there, the source itself or an output of another version, level, shape or
    dtype, to which nothing is written, or on a full disk.
    """
    written_as, source = FORMATS[version], level.url.rstrip("/").rpartition("/")[2]
    check_owner(url, level, version)
    of_image = image_attributes(level, source, written_as) | {"idr_assets": {"level": level.path}}
    create_group(url, "", of_image, written_as)
    check_level(url, level)
    check_extent(url, level, name)
    create_group(url, "labels", list_attributes([name], written_as), written_as)
    of_labels = label_attributes(level, name, written_as) | {"idr_assets": {"provenance": "provenance"}}
    create_group(url, f"labels/{name}", of_labels, written_as)
    create_array(url, "0", level.shape, level.dtype.newbyteorder("="), written_as)
    create_array(url, f"labels/{name}/0", level.shape, np.dtype(np.int32), written_as)
    _list_labels(url, written_as)
    check_extent(url, level, name)  # again: another process may have been first
    _follow(url, level, written_as)
    return open_output(url, name)


def _follow(url: str, level: Level, written_as: Format) -> None:
    """Put pixels and labels where the level lies now, and make them as long, which both may have changed.

    Each group and array is written whole and by itself: whoever comes next, or at once, finds and writes what is left
    to do.
    """
    for place in [url, *(f"{url}/labels/{name}" for name in label_groups(url))]:
        store = open_store(place)
        with explain_writes(url):
            group = zarr.open_group(store, mode="r+", use_consolidated=False)
            attributes = group.attrs.asdict()
            ours = "idr_assets" in attributes
            if ours and read_geometry(masked(place), "0", store) != written_geometry(level):
                retry_write(partial(group.attrs.put, moved(attributes, level, written_as)))
        clear_partials(store, "")
        if ours:
            grow_array(place, "0", level.shape)


def _list_labels(url: str, written_as: Format) -> None:
    """List the label groups that are there; whoever writes looks again, so that of writers at once none is lost."""
    with explain_writes(url):
        group = zarr.open_group(open_store(url), path="labels", mode="r+")
        while (noted := group.attrs.asdict()) != (found := noted | list_attributes(label_groups(url), written_as)):
            retry_write(partial(group.attrs.put, found))
            group = zarr.open_group(open_store(url), path="labels", mode="r+")


def create_array(  # noqa: PLR0913
    url: str, path: str, shape: tuple[int, ...], dtype: np.dtype[Any], written_as: Format, *, slices: int = 1
) -> None:
    """Make an array (t, c, z, y, x) of the output, unless it is there.

    A chunk has so many `slices` of a timepoint and channel, or the part of a large plane.
    """
    sizes = (min(length, LONGEST_CHUNK) for length in (slices, *shape[3:]))
    options: dict[str, Any] = {"fill_value": 0, "zarr_format": written_as.zarr_format, **written_as.array}
    create = partial(zarr.create_array, name=path, shape=shape, dtype=dtype, chunks=(1, 1, *sizes), **options)
    create_node(url, path, create)
