"""What is done with each tile of a plane; a worker does it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import scipy

from idr_assets.imaging.segmentation.label_numbers import Labels, Pixels
from idr_assets.imaging.segmentation.tiles.forms import Known, TiledForm
from idr_assets.imaging.segmentation.tiles.grid import Box, Grid
from idr_assets.imaging.segmentation.tiles.pieces import Packed, find_first, move, number_inside, paste, place


class PlaneAccess(Protocol):
    """Reads and writes a plane that is stored."""

    def read(self, box: Box) -> Pixels:
        """Read pixels (y, x), in native byte order; (t, c, z, y, x) if a function has several inputs."""

    def write(self, box: Box, labels: Labels) -> None:
        """Write the labels (y, x) of a tile."""


@dataclass(frozen=True)
class TileLabels:
    """The labels of a tile, 1 to n, before objects are numbered through the plane.

    Attributes
    ----------
    labels : Packed
        Those inside of the tile.
    begins : ndarray
        Flat index in the plane where each label begins, (n,).
    whole : int
        Labels above it are of pieces that reach into other tiles.
    seams : mapping of int to Packed
        What the tile gives to the pixels that it shares with each tile around.

    """

    labels: Packed
    begins: npt.NDArray[np.int64]
    whole: int
    seams: Mapping[int, Packed]


@dataclass(frozen=True)
class Look:
    """Look at a tile, see `TiledForm.look`."""

    form: TiledForm
    grid: Grid
    tile: Box
    known: Known

    def run(self, plane: PlaneAccess) -> Any:  # noqa: ANN401  what the form finds
        """Return what is found inside of the tile."""
        read = self.tile.widen(self.form.halo, self.grid.shape)
        return self.form.look(plane.read(read), self.tile.within(read), self.known)


@dataclass(frozen=True)
class Label:
    """Label a tile, see `TiledForm.label`."""

    form: TiledForm
    grid: Grid
    tile: Box
    number: int
    known: Known

    def run(self, plane: PlaneAccess) -> TileLabels:
        """Return the labels of the tile, which has this number, with what it shares with those around."""
        tile, shape = self.tile, self.grid.shape
        own = tile.widen(self.form.overlap, shape)
        read = own.widen(self.form.halo, shape)
        ring = np.ones(own.shape, bool)
        ring[tile.within(own)] = False
        found = self.form.label(plane.read(read), own.within(read), ring, self.known)
        labels = number_inside(found.labels, ring, found.whole)
        begins = find_first(labels[tile.within(own)], tile, shape)
        begins[: found.whole] = place(found.begins, own, shape)
        tiles = self.grid.tiles()
        seams = {at: own.meet(tiles[at].widen(self.form.overlap, shape)) for at in self.grid.around(self.number)}
        packed = {at: Packed.of(labels[seam.within(own)]) for at, seam in seams.items()}
        return TileLabels(Packed.of(labels[tile.within(own)]), begins, found.whole, packed)


@dataclass(frozen=True)
class Split:
    """Split pieces that lie in several tiles: for each piece, the labels that it has by the tile's number."""

    form: TiledForm
    grid: Grid
    tiles: Mapping[int, Packed]
    pieces: Sequence[Mapping[int, Sequence[int]]]

    def run(self, plane: PlaneAccess) -> list["Part"]:  # noqa: ARG002  nothing is read
        """Return the objects of each piece."""
        masks = self._gather()
        found = []
        for box, mask in masks:
            labels, begins = self.form.split(mask)
            found.append(Part(box, Packed.of(labels), place(begins, box, self.grid.shape)))
        return found

    def _gather(self) -> list[tuple[Box, npt.NDArray[np.bool_]]]:
        """Put each piece together, with a pixel around it."""
        boxes = self.grid.tiles()
        parts: list[list[tuple[Box, npt.NDArray[np.bool_]]]] = [[] for _ in self.pieces]
        for at, packed in self.tiles.items():
            labels = packed.unpack()
            found = scipy.ndimage.find_objects(labels)
            for own, piece in zip(parts, self.pieces, strict=True):
                for label in piece.get(at, ()):
                    y, x = found[label - 1]
                    own.append((move(y, x, boxes[at]), labels[y, x] == label))
        return [paste(own, self.grid.shape) for own in parts]


@dataclass(frozen=True)
class Part:
    """The objects of a piece, 1 to n: where they lie, their labels (y, x), and where each begins in the plane."""

    box: Box
    labels: Packed
    begins: npt.NDArray[np.int64]


@dataclass(frozen=True)
class Store:
    """Store a tile: its labels by their final numbers, and the objects of pieces that are in it."""

    tile: Box
    labels: Packed
    numbers: npt.NDArray[np.int32]
    parts: Sequence[tuple[Part, npt.NDArray[np.int32]]]

    def run(self, plane: PlaneAccess) -> int:
        """Return how many pixels are labelled."""
        labels = self.numbers[self.labels.unpack()]
        for part, numbers in self.parts:
            shared = part.box.meet(self.tile)
            own = part.labels.unpack()[shared.within(part.box)]
            inside = labels[shared.within(self.tile)]
            inside[own > 0] = numbers[own[own > 0]]
        plane.write(self.tile, labels)
        return int(np.count_nonzero(labels))
