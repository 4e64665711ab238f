"""Probe a level before a run: its pixels must be where the metadata say, and what they say."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy.typing as npt
from zarr.abc.store import RangeByteRequest
from zarr.core.sync import sync

from idr_assets.imaging.errors import ImageError, MissingChunkError
from idr_assets.imaging.ome_zarr.groups import read_attributes
from idr_assets.imaging.planes import Block, Plane
from idr_assets.imaging.reading.byte_order import looks_swapped
from idr_assets.imaging.reading.level import Level
from idr_assets.imaging.reading.missing_chunks import check_refusals, explain_sparse

SIDE = 256
"""Largest height and width, in pixels, of the part of a plane that is read, around its middle."""


def check_pixels(level: Level, window: Block, *, sparse: bool, byte_order_known: bool) -> None:
    """Read a little of the middle plane of a window; of the first or the last one where that cannot be read.

    Parameters
    ----------
    level : Level
        The level to probe.
    window : Block
        The planes that may be segmented.
    sparse : bool
        Whether missing chunks stand for zeros.
    byte_order_known : bool
        Whether someone vouches for the byte order.

    Raises
    ------
    ImageError
        Where the keys of chunks have another separator than the metadata say, where all three planes are missing and
        the image is not sparse, or where bytes look swapped. Any other fault costs its plane, and the run reports it.

    """
    if sparse and level.array.fill_value not in {0, None}:  # v2's null, which every reader reads as zero
        raise ImageError(_explain_fill(level))
    strict = replace(level, array=level.array.with_config({"read_missing_chunks": False}))
    probes = _choose(window)
    missing, found = _read_first(strict, probes, _middle)
    if found:
        if not byte_order_known and looks_swapped(found[1]):
            raise ImageError(_explain_swapped(level, found[0]))
        if not sparse and _has_more_chunks(level, *found):
            missing, _ = _read_first(strict, probes, _ends)
    elif len(missing) == len(probes):
        for plane in probes:
            _check_separator(level, plane, sparse=sparse)
    if len(missing) == len(probes) and not sparse:
        raise _explain_gaps(level, missing)


def _read_first(
    level: Level, planes: list[Plane], part: Callable[[int], slice]
) -> tuple[list[MissingChunkError], tuple[Plane, npt.NDArray[Any]] | None]:
    """Read a part of the first plane that can be read; return it with the errors of the planes before it."""
    missing: list[MissingChunkError] = []
    y, x = map(part, level.plane_shape)
    for plane in planes:
        try:
            return missing, (plane, level.read(plane.block, y, x)[0, 0, 0])
        except MissingChunkError as error:
            missing.append(error)
        except ImageError:
            continue
    return missing, None


def _has_more_chunks(level: Level, plane: Plane, pixels: npt.NDArray[Any]) -> bool:
    """Return whether a plane has more chunks than those of the pixels that were read."""
    return pixels.shape != level.plane_shape and bool(level.array.shards or level.chunk_keys(plane)[1:])


def _explain_gaps(level: Level, missing: list[MissingChunkError]) -> MissingChunkError:
    try:
        attributes = read_attributes(level.url, level.store)
    except ImageError:  # an array without OME-Zarr metadata
        attributes = {}
    return MissingChunkError(explain_sparse(missing, attributes, level.array))


def _choose(window: Block) -> list[Plane]:
    """Choose the planes in the middle, at the start and at the end of a window, each once."""
    places = (len(window.t) // 2, len(window.z) // 2), (0, 0), (-1, -1)
    return list(dict.fromkeys(Plane(window.t[t], window.c[0], window.z[z]) for t, z in places))


def _ends(length: int) -> slice:
    """Choose the first pixel of an axis, the one in the middle and the last: of chunks at the corners and edges."""
    return slice(None, None, max(1, (length - 1) // 2))


def _middle(length: int) -> slice:
    start = max(0, (length - SIDE) // 2)
    return slice(start, min(length, start + SIDE))


def _check_separator(level: Level, plane: Plane, *, sparse: bool) -> None:
    key = level.chunk_keys(plane)[0]
    separator, other = ("/", ".") if "/" in key else (".", "/")
    elsewhere = level.array.store_path / key.replace(separator, other)
    try:
        if sync(elsewhere.get(byte_range=RangeByteRequest(0, 1))) is None:
            if sparse:
                check_refusals(level.array)  # it may have been refused, like the planes
            return
    except ImageError:
        if sparse:  # what is not known must not become zeros; otherwise the plane is missing anyway
            raise
        return
    message = (
        f"The metadata of {level.url}/{level.path} say that chunks have keys with {separator!r}, such as {key!r}, but "
        f"the chunk of {plane} has {other!r}: every plane would seem to be missing. Tell the store's owner, or correct "
        "`dimension_separator` in a copy."
    )
    raise ImageError(message)


def _explain_fill(level: Level) -> str:
    return (
        f"Missing chunks of {level.url}/{level.path} stand for {level.array.fill_value}, its fill value, and not for "
        "zeros: planes that do not exist would get pixels. Leave `missing_chunks: zeros` out."
    )


def _explain_swapped(level: Level, plane: Plane) -> str:
    return (
        f"The bytes of {plane} in {level.url}/{level.path} look swapped: with dtype {level.dtype.str!r}, which its "
        "metadata say, the plane is noise, and its labels would be too. Tell the store's owner. If the plane is right, "
        f"vouch for it: write `dtype: '{level.dtype.str}'`, with the byte order, into the YAML."
    )
