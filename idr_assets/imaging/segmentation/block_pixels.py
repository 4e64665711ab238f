"""Read the pixels that a block is segmented from: of its planes, of other channels, or of the volumes around them."""

from collections.abc import Callable, Iterable
from functools import partial

import numpy as np

from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.output.origins import Origins
from idr_assets.imaging.planes import Block, Plane, within
from idr_assets.imaging.reading.level import Level
from idr_assets.imaging.segmentation.label_numbers import Pixels

type Read = tuple[Pixels, set[Plane]]


def read_pixels(  # noqa: PLR0913
    level: Level, origins: Origins | None, block: Block, reach: Block, *, why: str, again: bool
) -> Read:
    """Read the planes that a block is segmented from.

    Parameters
    ----------
    level, origins
        Where pixels are fetched from, and which of them the output has already.
    block, reach
        The planes to segment, and those to read; see `WorksOn.reach`.
    why
        Why more than the block is read, for the error.
    again
        Whether the block failed before: a volume, or several channels, are then read piece by piece, so that a fault
        that passes costs one piece, and the error for a fault that stays names its plane.

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
        return _join(level, reach, reach.cut(level.chunks, 1), partial(_read_piece, level, origins))
    except ImageError as error:
        error.add_note(why)
        raise


def _read_piece(level: Level, origins: Origins | None, piece: Block) -> Read:
    """Read planes of one chunk, or one by one if that fails, which names the plane."""
    try:
        return _read(level, origins, piece)
    except ImageError:
        if len(piece) == 1:
            raise
    return _join(level, piece, piece.single_planes(), partial(_read, level, origins))


def _read(level: Level, origins: Origins | None, block: Block) -> Read:
    return origins.read(level, block) if origins else (level.read(block), set())


def _join(level: Level, whole: Block, pieces: Iterable[Block], read: Callable[[Block], Read]) -> Read:
    """Read a block piece by piece."""
    pixels = np.empty((len(whole.t), len(whole.c), len(whole.z), *level.plane_shape), level.dtype)
    reused: set[Plane] = set()
    for piece in pieces:
        pixels[within(whole, piece)], known = read(piece)
        reused |= known
    return pixels, reused
