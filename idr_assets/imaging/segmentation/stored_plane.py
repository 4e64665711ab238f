"""A large plane of the output, which workers read, and write tile by tile."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from idr_assets.imaging.output.tile_writing import read_part, store_labels, store_pixels
from idr_assets.imaging.planes import Block, Plane
from idr_assets.imaging.segmentation.block_task import BlockTask
from idr_assets.imaging.segmentation.label_numbers import Labels, Pixels
from idr_assets.imaging.segmentation.labelling import Part
from idr_assets.imaging.segmentation.storing import begin_storing
from idr_assets.imaging.segmentation.tiles.grid import Box


@dataclass(frozen=True)
class StoredPlane:
    """A plane of the output, with the source that its pixels are read from."""

    task: BlockTask
    plane: Plane

    @property
    def sources(self) -> Block:
        """The planes whose pixels are stored with its labels."""
        return self.task.output.pixel_block(self.plane.block)

    @property
    def part(self) -> Part:
        """The plane, and those of which the function gets pixels."""
        works, block = self.task.works_on, self.plane.block
        return Part(works, block, works.inputs_of(block, self.task.level.shape))

    def read(self, box: Box) -> Pixels:
        """Read stored pixels of what the function gets: (y, x), or (t, c, z, y, x) of several planes."""
        read = self.part.read
        each = [self.read_source(it, box) for it in read.planes()]
        return each[0] if len(each) == 1 else np.stack(each).reshape(1, len(read.c), 1, *box.shape)

    def read_source(self, source: Plane, box: Box) -> Pixels:
        """Read stored pixels (y, x) of one of the `sources`."""
        return read_part(self.task.output.pixels, source, box.slices)

    def copy(self, box: Box, stored: frozenset[Plane]) -> Iterator[tuple[Plane, Pixels]]:
        """Yield pixels (y, x) of each source: those that are `stored`, and others of the level, which are stored then.

        Each chunk of the level is read once.
        """
        for piece in self.sources.volumes(1, self.task.level.chunks[1]):
            planes = piece.planes()
            if stored.issuperset(planes):
                yield from ((it, self.read_source(it, box)) for it in planes)
                continue
            read = self.task.level.read(piece, *box.slices)[0, :, 0]
            begin_storing()
            for source, pixels in zip(planes, read.astype(self.task.output.pixels.dtype, copy=False), strict=True):
                store_pixels(self.task.output, source, box.slices, pixels)
                yield source, pixels

    def write(self, box: Box, labels: Labels) -> None:
        """Store labels (y, x)."""
        begin_storing()
        store_labels(self.task.output, self.plane, box.slices, labels)
