"""Read planes back from the output: only what comes back as it was written counts as stored."""

import hashlib
from collections.abc import Iterable, Sequence
from itertools import batched, chain
from typing import Any

import numpy as np
import numpy.typing as npt
import zarr

from idr_assets.imaging.errors import DAMAGED, ImageError, mask
from idr_assets.imaging.output.arrays import is_same
from idr_assets.imaging.output.files import read_ends
from idr_assets.imaging.output.output_image import OutputImage
from idr_assets.imaging.output.plane_files import Bodies, hold_bodies
from idr_assets.imaging.planes import Block, Plane, count_objects
from idr_assets.imaging.store_text import cite

UNREADABLE = (OSError, *DAMAGED)
"""What the store, or Zarr, raises for a missing or damaged chunk."""


class NotAsWrittenError(ImageError):
    """Planes were written, but do not come back as they were."""


def prove_written(
    output: OutputImage, block: Block, pixels: npt.NDArray[Any], labels: npt.NDArray[np.int32], bodies: Bodies
) -> list[str | None]:
    """Prove that the output contains a block as it was written, and return the checksum of each plane.

    Files are compared byte for byte with the `bodies` that were written to them. If they contain other bytes, or if no
    bodies are known, chunks are decoded and compared as `check_written` does, which says what is raised.
    """
    each = [output.chunk_keys(plane) for plane in block.planes()]
    if bodies and hold_bodies(output.labels, bodies, chain(*each)):
        length = output.format.checksum
        return [join_checksums([bodies[key][-length:] for key in keys], hashed=not length) for keys in each]
    stored = read_checksums(output, block.planes())  # before the comparison, which shows that they are ours
    check_written(output, block, pixels, labels)
    return stored


def check_written(output: OutputImage, block: Block, pixels: npt.NDArray[Any], labels: npt.NDArray[np.int32]) -> None:
    """Compare what the output contains of a block with what was written, bit for bit.

    Parameters
    ----------
    output, block : OutputImage, Block
        The planes to read.
    pixels, labels : ndarray
        (t, c, z, y, x) each, as they were written; pixels of `OutputImage.pixel_block`.

    Raises
    ------
    NotAsWrittenError
        If a chunk is missing, cannot be decoded, or holds another dtype or other values.

    """
    of_pixels = output.pixel_block(block)
    for name, array, of, written in (
        ("pixels", output.pixels, of_pixels, pixels),
        ("labels", output.labels, block, labels),
    ):
        try:
            same = array.dtype == written.dtype.newbyteorder("=") and _is_stored(array, of, written)
        except UNREADABLE as error:
            raise NotAsWrittenError(
                explain_difference(block, array, f"its {name} cannot be read back ({cite(error)})")
            ) from error
        if not same:
            raise NotAsWrittenError(explain_difference(block, array, f"its {name} come back different"))


def read_checksums(output: OutputImage, planes: Iterable[Plane]) -> list[str | None]:
    """Read the checksum of what the output contains of each plane, pixels and labels.

    It joins the checksums at the ends of the chunks, so that little is read and nothing is decoded, or hashes of whole
    chunks if the format has no checksums. It is None if a chunk is missing or cannot be read.
    """
    keys = [key for plane in planes for key in output.chunk_keys(plane)]
    checksum = output.format.checksum
    each = batched(read_ends(output.url, keys, checksum), output.chunks_of_plane)
    return [join_checksums(plane, hashed=not checksum) for plane in each]


def join_checksums(ends: Sequence[bytes | None], *, hashed: bool) -> str | None:
    """Join the checksums at the ends of a plane's chunks, or hashes of whole chunks; None if one is missing."""
    read = [end for end in ends if end is not None]
    parts = [hashlib.sha256(end).digest()[:8] for end in read] if hashed else read
    return b"".join(parts).hex() if len(read) == len(ends) else None


def count_stored_objects(output: OutputImage, plane: Plane) -> int | None:
    """Count the objects of a plane in the output; None if it is outside, not stored, or damaged."""
    if not output.covers(plane):
        return None
    try:
        return count_objects(np.asarray(output.labels[plane.t, plane.c, plane.z]))
    except UNREADABLE:
        return None


def _is_stored(array: zarr.Array[Any], block: Block, written: npt.NDArray[Any]) -> bool:
    """Compare one channel at a time, so that no more than that is in memory beside what was written."""
    t, z = (slice(indices.start, indices.stop) for indices in (block.t, block.z))
    channels = zip(block.c, written.swapaxes(0, 1), strict=True)
    return all(is_same(np.asarray(array[t, channel, z]), values) for channel, values in channels)


def explain_difference(block: Block, array: zarr.Array[Any], wrong: str) -> str:
    """Say that a block was written, but that something is `wrong` with what is read back."""
    planes = block.planes()
    named = str(planes[0]) if len(planes) == 1 else f"{planes[0]} to {planes[-1]}"
    return (
        f"{named} was written to {mask(str(array.store_path))}, but {wrong}: it does not count as stored. "
        "Check the disk or store that holds the output, and that no other run writes the same planes; then materialize "
        "it again."
    )
