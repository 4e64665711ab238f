"""Labels of a tile, and the pieces of objects in it, on their way to other tiles."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from idr_assets.imaging.segmentation.label_numbers import Labels
from idr_assets.imaging.segmentation.tiles.grid import Box


@dataclass(frozen=True)
class Packed:
    """Labels (y, x) of int32 on their way between workers; compressed, they are about a fortieth."""

    shape: tuple[int, ...]
    body: bytes

    @classmethod
    def of(cls, labels: Labels) -> Self:
        """Compress labels."""
        return cls(labels.shape, zlib.compress(np.ascontiguousarray(labels), 1))

    def unpack(self) -> Labels:
        """Return the labels."""
        return np.frombuffer(zlib.decompress(self.body), np.int32).reshape(self.shape)


def number_inside(labels: Labels, ring: npt.NDArray[np.bool_], whole: int) -> Labels:
    """Give labels that are inside of the tile numbers from 1, and drop the others; the first, whole ones are inside."""
    inside = np.zeros(int(labels.max(initial=0)) + 1, bool)
    inside[labels[~ring]] = inside[1 : whole + 1] = True
    inside[0] = False
    return (np.cumsum(inside) * inside).astype(np.int32)[labels]


def find_first(labels: Labels, tile: Box, shape: tuple[int, int]) -> npt.NDArray[np.int64]:
    """Return where each label begins in the plane, as a flat index."""
    begins = np.zeros(int(labels.max(initial=0)) + 1, np.int64)
    inside = np.flatnonzero(labels)[::-1]  # the first pixel of each is written last
    begins[labels.ravel()[inside]] = inside
    return place(begins[1:], tile, shape)


def place(indices: npt.NDArray[np.intp], box: Box, shape: tuple[int, int]) -> npt.NDArray[np.int64]:
    """Turn flat indices in a box into those in its plane."""
    y, x = np.divmod(indices, len(box.x))
    return (y + box.y.start) * shape[1] + x + box.x.start


def move(y: slice, x: slice, tile: Box) -> Box:
    """Return the box of a part of a tile in its plane."""
    return Box(
        range(tile.y.start + y.start, tile.y.start + y.stop), range(tile.x.start + x.start, tile.x.start + x.stop)
    )


def paste(
    parts: Sequence[tuple[Box, npt.NDArray[np.bool_]]], shape: tuple[int, int]
) -> tuple[Box, npt.NDArray[np.bool_]]:
    """Paste the parts of a piece into a mask with a pixel around it, except beyond the plane."""
    y, x = ([axis for box, _ in parts for axis in (getattr(box, name),)] for name in "yx")
    ends = (range(min(it.start for it in axis), max(it.stop for it in axis)) for axis in (y, x))
    whole = Box(*ends).widen(1, shape)
    mask = np.zeros(whole.shape, bool)
    for box, own in parts:
        mask[box.within(whole)] |= own
    return whole, mask
