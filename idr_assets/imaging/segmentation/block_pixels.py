"""Read the pixels that a block is labelled from: those of its planes, or of the whole volumes that hold them."""

from collections.abc import Iterable

import numpy as np

from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.output.origins import Origins
from idr_assets.imaging.planes import Block, Plane
from idr_assets.imaging.reading.level import Level
from idr_assets.imaging.segmentation.label_numbers import Pixels

type Read = tuple[Pixels, set[Plane]]


def read_pixels(level: Level, origins: Origins | None, block: Block, reach: Block, *, again: bool) -> Read:
    """Read the planes that a block is labelled from.

    Parameters
    ----------
    level, origins
        Where pixels are fetched, and which of them the output has.
    block, reach
        The planes to label, and those to read; see `WorksOn.reach`.
    again
        Whether this failed before: a volume is then read piece by piece, so that a fault which passes costs one piece,
        and the error of one which stays names its plane.

    Returns
    -------
    tuple
        Pixels (t, c, z, y, x) of `reach`, and the planes that came from the output.

    Raises
    ------
    ImageError
        As `Level.read`.
    """
    if reach == block:
        return _read(level, origins, block)
    try:
        if not again:
            return _read(level, origins, reach)
        return _join(_read_piece(level, origins, piece) for piece in reach.cut(level.chunks, 1))
    except ImageError as error:
        error.add_note("read for the whole volume, which is all slices of the image, also those outside of `window`")
        raise


def _read_piece(level: Level, origins: Origins | None, piece: Block) -> Read:
    """Read planes of one chunk, and where that fails one by one, which names the plane."""
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
