"""Read the pixels that a block is segmented from: those of its planes, or of the whole volumes that contain them."""

from collections.abc import Iterable

import numpy as np

from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.output.origins import Origins
from idr_assets.imaging.planes import Block, Plane
from idr_assets.imaging.reading.level import Level
from idr_assets.imaging.segmentation.label_numbers import Pixels

type Read = tuple[Pixels, set[Plane]]


def read_pixels(level: Level, origins: Origins | None, block: Block, reach: Block, *, again: bool) -> Read:
    """Read the planes that a block is segmented from.

    Parameters
    ----------
    level, origins
        Where pixels are fetched from, and which of them the output has already.
    block, reach
        The planes to segment, and those to read; see `WorksOn.reach`.
    again
        Whether the block failed before: a volume is then read piece by piece, so that a fault that passes costs one
        piece, and the error for a fault that stays names its plane.

    Returns
    -------
    tuple
        Pixels (t, c, z, y, x) of `reach`, and the planes that came from the output.

    Raises
    ------
    ImageError
        What `Level.read` raises.
    """
    if reach == block:
        return _read(level, origins, block)
    try:
        if not again:
            return _read(level, origins, reach)
        return _join(_read_piece(level, origins, piece) for piece in reach.cut(level.chunks, 1))
    except ImageError as error:
        error.add_note("read for the whole volume, which is all slices of the image, even those outside of `window`")
        raise


def _read_piece(level: Level, origins: Origins | None, piece: Block) -> Read:
    """Read planes of one chunk, or one by one if that fails, which names the plane."""
    try:
        return _read(level, origins, piece)
    except ImageError:
        if len(piece) == 1:
            raise
    return _join(_read(level, origins, plane) for plane in piece.single_planes())


def _read(level: Level, origins: Origins | None, block: Block) -> Read:
    return origins.read(level, block) if origins else (level.read(block), set())


def _join(pieces: Iterable[Read]) -> Read:
    """Join pieces along z."""
    pixels, reused = zip(*pieces, strict=True)
    return np.concatenate(pixels, axis=2), set().union(*reused)
