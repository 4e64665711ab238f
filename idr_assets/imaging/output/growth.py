"""Follow an image that grows in T or Z: lengthen the arrays of its output, and compare planes that it had before."""

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import zarr

from idr_assets.imaging.errors import DAMAGED, ImageError
from idr_assets.imaging.output.arrays import is_same, open_array
from idr_assets.imaging.output.files import update_file
from idr_assets.imaging.planes import Plane, evenly_spread, has_grown
from idr_assets.imaging.reading.level import Level
from idr_assets.imaging.reading.missing_chunks import DOCUMENT
from idr_assets.imaging.stores.zarr_settings import own_settings

MOST_COMPARED = 9
"""Planes that are compared with the source at most."""


def grow_array(url: str, path: str, shape: Sequence[int]) -> None:
    """Lengthen an array of the output to `shape` if that has more timepoints or slices; never shorten it.

    Only the array's metadata are written. Several processes may do this at once: the array gets the longest shape. An
    array that cannot be read stays as it is, for others to report.

    Raises
    ------
    ImageError
        If the metadata cannot be written, for example because the disk is full.

    """
    try:
        array = open_array(url, path)
    except (FileNotFoundError, ImageError):
        return
    if has_grown(tuple(map(max, shape, array.shape)), array.shape):
        update_file(f"{url}/{path}/{DOCUMENT[array.metadata.zarr_format]}", partial(_lengthen, shape))


@own_settings
def are_unchanged(url: str, level: Level, planes: Sequence[Plane]) -> bool:
    """Return whether the source still has the pixels that the output has of these planes.

    Up to `MOST_COMPARED` planes are read from both, evenly spread. Planes that cannot be read are left out.

    Parameters
    ----------
    url : str
        Address of the output.
    level : Level
        The source.
    planes : sequence of Plane
        Planes whose pixels are stored.

    Returns
    -------
    bool
        True if all pixels are the same, bit for bit, and not all of one value, which would prove nothing.

    """
    compared = evenly_spread(planes, MOST_COMPARED) if planes else []
    with ThreadPoolExecutor(MOST_COMPARED) as pool:
        found = set(pool.map(partial(_is_unchanged, url, level), compared))
    return True in found and False not in found


def _is_unchanged(url: str, level: Level, plane: Plane) -> bool | None:
    """Compare one plane; None if that proves nothing."""
    try:
        stored = np.asarray(open_array(url, "0")[plane.t, plane.c, plane.z])
        source = level.read(plane.block)[0, 0, 0]
    except (OSError, ImageError, *DAMAGED):
        return None
    if not is_same(stored, source):
        return False
    return None if (stored == stored.flat[0]).all() else True


def _lengthen(shape: Sequence[int], document: bytes) -> bytes:
    """Lengthen the shape in the metadata document of an array."""
    metadata = json.loads(document)
    longest = [*map(max, shape, metadata["shape"])]
    if not has_grown(longest, metadata["shape"]):
        return document
    return json.dumps(metadata | {"shape": longest}, indent=zarr.config.get("json_indent")).encode()
