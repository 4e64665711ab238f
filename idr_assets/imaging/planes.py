"""Planes, windows and blocks: which pixels belong together, as plain integers."""

import math
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, product
from typing import Any

import numpy as np
import numpy.typing as npt

MOST_PLANES = 64
"""Most planes of a block: with more, the cost of a plane no longer falls."""

FEW_PLANES = 32
"""A block of so many planes is not divided further: with fewer, much of the time goes to the block itself."""

MOST_PIXELS = 2**24
"""Most pixels of a block: some 300 MB per thread of a worker, see `BlockTask`. A plane or a volume may have more."""


@dataclass(frozen=True, order=True, slots=True)
class Plane:
    """The 2-D (y, x) array at timepoint `t`, channel `c`, slice `z`."""

    t: int
    c: int
    z: int

    def __str__(self) -> str:
        """Return the name of the plane in figures and messages."""
        return f"t {self.t} c {self.c} z {self.z}"

    @property
    def block(self) -> "Block":
        """The block of this plane alone."""
        return Block(range(self.t, self.t + 1), (self.c,), range(self.z, self.z + 1))


@dataclass(frozen=True)
class LabelledPlane:
    """One plane of an image with its labels.

    `pixels` is (y, x) of any real dtype or bool; `labels` is (y, x) int32, 0 for the background, each other number one
    object. Numbers are 1..n, unless objects are numbered in a volume: then those of its other planes are left out.
    `objects` is their number where `labels` are some of the plane's pixels only.
    """

    t: int
    c: int
    z: int
    pixels: npt.NDArray[Any]
    labels: npt.NDArray[np.int32]
    objects: int | None = None

    @property
    def count(self) -> int:
        """Number of objects."""
        return count_objects(self.labels) if self.objects is None else self.objects


@dataclass(frozen=True)
class Block:
    """A box of planes, T x C x Z, that one dask task reads, segments and writes."""

    t: range
    c: tuple[int, ...]
    z: range

    def __len__(self) -> int:
        """Count the planes."""
        return len(self.t) * len(self.c) * len(self.z)

    def planes(self) -> list[Plane]:
        """List the planes in the order of the axes t, c, z."""
        return [Plane(t, c, z) for t, c, z in product(self.t, self.c, self.z)]

    @property
    def middle(self) -> "Block":
        """The block of the plane in the middle of t and z, of the first channel."""
        return Plane(self.t[len(self.t) // 2], self.c[0], self.z[len(self.z) // 2]).block

    def single_planes(self) -> list["Block"]:
        """Cut the block into blocks of one plane each."""
        return [plane.block for plane in self.planes()]

    def volumes(self, timepoints: int = 1, channels: int = 1) -> Iterator["Block"]:
        """Cut the block into blocks of all its slices: of a timepoint and a channel, or of a chunk of so many of them.

        No chunk lies in two blocks.
        """
        for t, c in product(_pieces(self.t, timepoints, timepoints), self._layers(channels)):
            yield replace(self, t=t, c=c)

    def cut(self, chunks: Sequence[int], most: int) -> Iterator["Block"]:
        """Cut the block into blocks of at most `most` planes, aligned to the source's chunks.

        `chunks` is the chunk shape (t, c, z, ...). No chunk is in two blocks, so that none is read twice. A chunk of
        more than `most` planes is one block.
        """
        z_step = _step(chunks[2], most // (chunks[0] * len(self.c)))
        t_step = _step(chunks[0], most // (min(z_step, len(self.z)) * len(self.c)))
        for t, z in product(_pieces(self.t, t_step, chunks[0]), _pieces(self.z, z_step, chunks[2])):
            yield replace(self, t=t, z=z)

    def covering(self, wanted: Collection[Plane], chunks: Sequence[int]) -> Iterator["Block"]:
        """Cover the wanted planes of the block by few blocks; planes that share a chunk stay together.

        `chunks` is the chunk shape (t, c, z, ...). No chunk is in two blocks, so that none is read twice. Planes that
        share a chunk with a wanted one are covered too.
        """
        planes = self.planes()
        inside = sum(plane in wanted for plane in planes)
        pieces = self._parts(chunks) if 0 < inside < len(planes) else [self]
        if len(pieces) > 1:
            for piece in pieces:
                yield from piece.covering(wanted, chunks)
        elif inside:
            yield self

    def _parts(self, chunks: Sequence[int]) -> list["Block"]:
        """Cut between channels, or into two or more along t and z; a block within one chunk stays whole."""
        layers = self._layers(chunks[1])
        return [replace(self, c=c) for c in layers] if len(layers) > 1 else list(self.cut(chunks, len(self) // 2))

    def _layers(self, chunk: int) -> list[tuple[int, ...]]:
        """Group the channels by the chunk, of so many, that holds them."""
        return [tuple(c for c in self.c if c // chunk == layer) for layer in sorted({c // chunk for c in self.c})]


def within(outer: Block, inner: Block) -> tuple[npt.NDArray[np.intp], ...]:
    """Return the open mesh of indices at which a part of a block lies in its (t, c, z, ...)."""
    axes = ((outer.t, inner.t), (outer.c, inner.c), (outer.z, inner.z))
    return np.ix_(*([whole.index(index) for index in part] for whole, part in axes))


def block_size(plane_shape: tuple[int, int], planes: int, workers: int) -> int:
    """Return how many planes a block holds, so that it fits memory and each worker gets equally many blocks.

    Each worker gets at least four blocks unless they would be too small: one is read while another is computed, results
    arrive all along, and a block that fails costs little.
    """
    height, width = plane_shape
    most = max(1, min(MOST_PLANES, MOST_PIXELS // (height * width)))
    rounds = max(1, min(4, planes // (workers * FEW_PLANES)), math.ceil(planes / (workers * most)))
    return math.ceil(planes / (workers * rounds))


def count_objects(labels: npt.NDArray[np.integer[Any]]) -> int:
    """Count the distinct labels (y, x) above 0: as many as the largest says only where no number is left out."""
    rows = max(1, 2**20 // labels.shape[1])  # of large planes a megapixel at a time, for what it takes beside them
    parts = [labels[start : start + rows] for start in range(0, len(labels), rows)]
    if (most := int(labels.max(initial=0))) <= labels.size and labels.min(initial=0) >= 0:
        found = np.zeros(most + 1, bool)
        for part in parts:
            found[part] = True
        return int(np.count_nonzero(found[1:]))
    return int(np.count_nonzero(np.unique(np.concatenate([*map(np.unique, parts)])) > 0))


def index_key(index: int, length: int) -> str:
    """Write an index of an axis of `length`, zero-padded to the width of the last index."""
    return f"{index:0{len(str(length - 1))}}"


def has_grown(shape: Sequence[int], since: Sequence[int]) -> bool:
    """Tell whether `shape` (t, c, z, y, x) is `since` with more timepoints or slices."""
    same = tuple(shape) != tuple(since) and (shape[1], *shape[3:]) == (since[1], *since[3:])
    return same and shape[0] >= since[0] and shape[2] >= since[2]


def runs(indices: Iterable[int]) -> Iterator[range]:
    """Join consecutive ascending indices into ranges."""
    for _, run in groupby(enumerate(indices), key=lambda numbered: numbered[1] - numbered[0]):
        found = [index for _, index in run]
        yield range(found[0], found[-1] + 1)


def evenly_spread[T](items: Sequence[T], most: int) -> list[T]:
    """Pick at most `most` items, evenly spread, with the first and the last."""
    positions = np.linspace(0, len(items) - 1, min(most, len(items))).round().astype(int)
    return [items[position] for position in positions]


def thin(window: Block, most: int) -> tuple[list[int], list[int], list[int]]:
    """Thin t, c and z of a window evenly to at most `most` planes: t first, then z, and channels if necessary."""
    c = evenly_spread(window.c, most)
    left = most // len(c)
    t = evenly_spread(window.t, max(math.isqrt(left), left // len(window.z)))
    return t, c, evenly_spread(window.z, left // len(t))


def _step(chunk: int, most: int) -> int:
    return max(1, most // chunk) * chunk


def _pieces(indices: range, step: int, chunk: int) -> Iterator[range]:
    aligned = indices.start - indices.start % chunk
    for start in range(aligned, indices.stop, step):
        yield range(max(start, indices.start), min(start + step, indices.stop))
