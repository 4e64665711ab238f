"""The layout of a published image: which planes it holds at which place, its levels, chunks and shards."""

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from idr_assets.imaging.planes import Block, Plane
from idr_assets.imaging.published.pyramid import level_shapes

VERSION = "1"
"""Of the way in which timepoints are published: another one makes other shards of the same planes."""

TILE = 1024
"""Height and width in pixels of a chunk at most."""

SHARD_BYTES = 2**28
"""Bytes of the pixels of a shard before they are encoded, at most, unless it holds a single plane."""


@dataclass(frozen=True)
class Level:
    """One level of a published image, of pixels as of labels.

    Attributes
    ----------
    path : str
        Its path below the image, or below a label group.
    shape : tuple of int
        Height and width of a plane.
    tile : tuple of int
        Height and width of a chunk.
    depth : int
        Slices in a shard.

    """

    path: str
    shape: tuple[int, int]
    tile: tuple[int, int]
    depth: int

    @property
    def grid(self) -> tuple[int, int]:
        """Chunks of a plane along y and x."""
        rows, columns = (-(-length // step) for length, step in zip(self.shape, self.tile, strict=True))
        return rows, columns

    @property
    def factor(self) -> int:
        """Pixels of the first level, along y and along x, that one of this level stands for."""
        return int(2 ** int(self.path))


@dataclass(frozen=True)
class Layout:
    """What a published image holds, and where.

    Attributes
    ----------
    window : Block
        The planes that it is made of.
    extent : Block
        The planes that it has room for: those of the window, or of the whole image.
    plane : tuple of int
        Height and width of a plane.
    dtype : numpy.dtype
        Of the pixels; labels are int32.

    """

    window: Block
    extent: Block
    plane: tuple[int, int]
    dtype: np.dtype[Any]

    @cached_property
    def levels(self) -> list[Level]:
        """All levels, from the largest; shards of each hold twice as many slices as those of the one before."""
        size = max(self.dtype.itemsize, np.dtype(np.int32).itemsize)
        first, slices = max(1, SHARD_BYTES // (size * self.plane[0] * self.plane[1])), len(self.extent.z)
        return [
            Level(str(number), shape, (min(TILE, shape[0]), min(TILE, shape[1])), min(slices, first * 2**number))
            for number, shape in enumerate(level_shapes(self.plane))
        ]

    def place(self, plane: Plane) -> tuple[int, int, int]:
        """Return where a plane lies in the arrays."""
        return self.extent.t.index(plane.t), self.extent.c.index(plane.c), self.extent.z.index(plane.z)

    def shard_key(self, plane: Plane, level: Level) -> str:
        """Return the key, below the image or a label group, of the shard of a level in which a plane lies."""
        t, c, z = self.place(plane)
        return f"{level.path}/c/{t}/{c}/{z // level.depth}/0/0"

    def slabs(self, t: int) -> list[Block]:
        """Cut the window's planes of a timepoint into slabs of a channel; no shard of any level lies in two."""
        depth, start = self.levels[-1].depth, self.extent.z.start
        first = range(self.window.z.start - (self.window.z.start - start) % depth, self.window.z.stop, depth)
        pieces = [range(max(z, self.window.z.start), min(z + depth, self.window.z.stop)) for z in first]
        return [Block(range(t, t + 1), (c,), z) for c in self.window.c for z in pieces]

    @property
    def mark(self) -> str:
        """A hash of all that decides where a plane lies, so not how many timepoints; shards of another fit nowhere."""
        extent = [self.extent.t.start, self.extent.c, [self.extent.z.start, self.extent.z.stop]]
        levels = [[level.path, level.shape, level.tile, level.depth] for level in self.levels]
        return hash_json([extent, levels, self.dtype.str])


def hash_json(content: Any) -> str:  # noqa: ANN401  any JSON
    """Return a short hash of JSON."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]
