"""The work of a dask worker on a tile of a large plane: read it from the source, store it, and what `tiles` does."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from idr_assets.imaging.errors import mask
from idr_assets.imaging.output.provenance import add_provenance
from idr_assets.imaging.output.read_back import NotAsWrittenError
from idr_assets.imaging.output.tile_writing import clear_plane, read_part, store_labels, store_pixels
from idr_assets.imaging.planes import Plane
from idr_assets.imaging.segmentation.block_task import BlockTask
from idr_assets.imaging.segmentation.failures import fail_planes
from idr_assets.imaging.segmentation.label_numbers import Labels, Pixels
from idr_assets.imaging.segmentation.plane_results import PlaneFailure, count_saturated
from idr_assets.imaging.segmentation.storing import begin_storing
from idr_assets.imaging.segmentation.tiles.grid import Box
from idr_assets.imaging.stores.zarr_settings import own_settings


@dataclass(frozen=True)
class StoredPlane:
    """A plane of the output, with the source that its pixels are read from."""

    task: BlockTask
    plane: Plane

    def read(self, box: Box) -> Pixels:
        """Read stored pixels (y, x)."""
        return read_part(self.task.output.pixels, self.plane, box.slices)

    def fetch(self, box: Box) -> Pixels:
        """Read pixels (y, x) from the source, and store them."""
        read = self.task.level.read(self.plane.block, *box.slices)[0, 0, 0]
        begin_storing()
        pixels: Pixels = read.astype(self.task.output.pixels.dtype, copy=False)
        store_pixels(self.task.output, self.plane, box.slices, pixels)
        return pixels

    def write(self, box: Box, labels: Labels) -> None:
        """Store labels (y, x)."""
        begin_storing()
        store_labels(self.task.output, self.plane, box.slices, labels)


class Job(Protocol):
    """What is done with a plane, or a tile of it."""

    def run(self, plane: StoredPlane) -> Any:  # noqa: ANN401  of many kinds
        """Do it."""


@dataclass(frozen=True)
class Copied:
    """What is known of the pixels of a tile: their range, how many are saturated, and their hash."""

    minimum: float
    maximum: float
    saturated: int | None
    digest: bytes


@dataclass(frozen=True)
class Copy:
    """Store the pixels of a tile, unless they are stored, and look at them."""

    tile: Box
    stored: bool

    def run(self, plane: StoredPlane) -> Copied:
        """Return what is known of them."""
        pixels = plane.read(self.tile) if self.stored else plane.fetch(self.tile)
        return Copied(float(pixels.min()), float(pixels.max()), count_saturated(pixels), _hash(pixels))


@dataclass(frozen=True)
class IsStored:
    """Find out whether the output has the pixels of the plane as the source is now."""

    def run(self, plane: StoredPlane) -> bool:
        """Read the stored plane by tiles."""
        return plane.task.origins is not None and plane.task.origins.holds(plane.plane.block)


@dataclass(frozen=True)
class Prove:
    """Compute the origin of a plane, of which each tile has been stored with this hash."""

    tiles: Sequence[tuple[Box, bytes]]

    def run(self, plane: StoredPlane) -> bytes | None:
        """Return the origin; None if none is noted."""
        origins = plane.task.origins
        return origins.compute_rows(plane.plane, self._rows(plane)) if origins else None

    def _rows(self, plane: StoredPlane) -> Iterator[Pixels]:
        for y, row in groupby(self.tiles, lambda tile: tile[0].y):
            tiles = list(row)
            pixels = plane.read(Box(y, range(tiles[-1][0].x.stop)))
            if any(_hash(pixels[:, box.slices[1]]) != digest for box, digest in tiles):
                message = (
                    f"{plane.plane} was written to {mask(plane.task.output.url)}, but its pixels were replaced "
                    "meanwhile, maybe by another run. Materialize it again while no other run writes it."
                )
                raise NotAsWrittenError(message)
            yield pixels


@dataclass(frozen=True)
class Clear:
    """Remove the labels of a plane before its tiles are stored, and store how they are made."""

    def run(self, plane: StoredPlane) -> None:
        """Write the provenance first, so that no plane is there without it."""
        begin_storing()
        if plane.task.provenance:
            add_provenance(plane.task.output, plane.task.provenance)
        clear_plane(plane.task.output, plane.plane)


@own_settings
def run_job(plane: StoredPlane, job: Job, *, again: bool) -> list[Any] | list[PlaneFailure]:  # noqa: ARG001  as InFlight calls it
    """Do a job, and return its result alone, or a failure in place of an error."""
    try:
        return [job.run(plane)]
    except Exception as error:  # noqa: BLE001  a failure of the plane, whatever it is
        if tile := getattr(job, "tile", None):
            error.add_note(f"in the tile {tile} of {plane.plane}")
        return fail_planes(plane.plane.block, error)


def _hash(pixels: npt.NDArray[Any]) -> bytes:
    return hashlib.sha256(np.ascontiguousarray(pixels)).digest()
