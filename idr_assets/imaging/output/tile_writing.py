"""Write a plane tile by tile, and read each back. A tile is a chunk of the output, or several."""

from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import zarr

from idr_assets.imaging.errors import DAMAGED
from idr_assets.imaging.output.arrays import clear_planes, is_same
from idr_assets.imaging.output.disk_files import retry_write
from idr_assets.imaging.output.output_image import OutputImage
from idr_assets.imaging.output.read_back import UNREADABLE, NotAsWrittenError, explain_difference
from idr_assets.imaging.output.store_faults import explain_writes
from idr_assets.imaging.output.writing import find_groups, remove_chunks, remove_labels
from idr_assets.imaging.planes import Plane
from idr_assets.imaging.store_text import cite

type Part = tuple[slice, slice]
"""Rows and columns of a plane."""


def store_pixels(output: OutputImage, plane: Plane, part: Part, pixels: npt.NDArray[Any]) -> None:
    """Store pixels (y, x) of a part of a plane, unless they are stored already, bit for bit.

    Before that, labels of other pixels are removed from every label group. Raises `ImageError` if they cannot be
    written, or do not come back as they were.
    """
    if _is_stored(output.pixels, plane, part, pixels):
        return
    with explain_writes(output.url):
        remove_chunks(output, find_groups(output, plane.block)[plane])
        _write(output, output.pixels, plane, part, pixels)


def store_labels(output: OutputImage, plane: Plane, part: Part, labels: npt.NDArray[np.int32]) -> None:
    """Store labels (y, x) of a part of a plane; raises as `store_pixels`."""
    with explain_writes(output.url):
        _write(output, output.labels, plane, part, labels)


def clear_plane(output: OutputImage, plane: Plane) -> None:
    """Remove the labels of a plane, before parts of them are replaced, and what killed writers left beside them."""
    with explain_writes(output.url):
        remove_labels(output, plane.block)
        clear_planes(output.pixel_block(plane.block), output.pixels)
        clear_planes(plane.block, output.labels)


def read_part(array: zarr.Array[Any], plane: Plane, part: Part) -> npt.NDArray[Any]:
    """Read a part (y, x) of a plane of the output, in native byte order."""
    found = np.asarray(array[plane.t, plane.c, plane.z, *part])
    return found.astype(found.dtype.newbyteorder("="), copy=False)


def _write(output: OutputImage, array: zarr.Array[Any], plane: Plane, part: Part, values: npt.NDArray[Any]) -> None:
    retry_write(partial(array.__setitem__, (plane.t, plane.c, plane.z, *part), values))
    try:
        same = is_same(read_part(array, plane, part), values)
    except UNREADABLE as error:
        remove_labels(output, plane.block)
        message = explain_difference(plane.block, array, f"it cannot be read back ({cite(error)})")
        raise NotAsWrittenError(message) from error
    if not same:
        remove_labels(output, plane.block)
        raise NotAsWrittenError(explain_difference(plane.block, array, "it comes back different"))


def _is_stored(array: zarr.Array[Any], plane: Plane, part: Part, values: npt.NDArray[Any]) -> bool:
    """Return whether a part of a plane is stored as it is; what cannot be read is not."""
    try:
        return is_same(read_part(array, plane, part), values)
    except (OSError, *DAMAGED):
        return False
