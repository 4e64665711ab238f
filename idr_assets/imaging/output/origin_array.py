"""The array that holds the origins of planes, a hash each; `origins` says what they prove.

A file for each short hash would take as long to write as a plane takes to segment. So a file holds the origins of up to
2,048 slices of a timepoint and channel. The run writes it, not its workers, which have several blocks of the same
slices. Outputs from the time when a file held one plane keep that layout.
"""

import hashlib
from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
import zarr

from idr_assets.imaging.errors import DAMAGED, ImageError
from idr_assets.imaging.output.arrays import write_planes
from idr_assets.imaging.output.creation import create_array
from idr_assets.imaging.output.growth import grow_array
from idr_assets.imaging.output.output_image import OutputImage
from idr_assets.imaging.output.read_back import UNREADABLE
from idr_assets.imaging.planes import Block
from idr_assets.imaging.store_text import cite

ORIGINS = "origins"
"""Path of the array below the output, (t, c, z, 1, byte) uint8."""

BYTES = hashlib.sha256().digest_size


def create_origin_array(output: OutputImage, shape: Sequence[int]) -> None:
    """Create the array for an image of `shape` (t, c, z, y, x), or make it as long; `ImageError` on failure."""
    own = (*shape[:3], 1, BYTES)
    create_array(output.url, ORIGINS, own, np.dtype(np.uint8), output.format, slices=shape[2])
    grow_array(output.url, ORIGINS, own)


def write_digests(url: str, digests: zarr.Array[Any], block: Block, origins: Sequence[bytes]) -> None:
    """Store the origins of a block's planes in the array `digests` of the output at `url`; `ImageError` on failure."""
    values = np.frombuffer(b"".join(origins), np.uint8).reshape(len(block.t), len(block.c), len(block.z), 1, BYTES)
    try:
        try:
            write_planes(url, (digests, block, values))
        except DAMAGED:
            _clear_unreadable(digests, block)
            write_planes(url, (digests, block, values))
    except (ImageError, *UNREADABLE) as error:
        message = f"The planes are stored, but their origins cannot be noted ({cite(error.__cause__ or error)})."
        raise ImageError(message) from error


def _clear_unreadable(digests: zarr.Array[Any], block: Block) -> None:
    """Replace chunks of a block's origins that cannot be read by zeros, whatever else they held."""
    step = digests.chunks[2]
    for t, c, start in product(block.t, block.c, sorted({z // step * step for z in block.z})):
        where = t, c, slice(start, start + step)
        try:
            digests[where]
        except UNREADABLE:
            digests[where] = 0
