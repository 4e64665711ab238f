"""The work of a dask worker on a tile of a large plane: read it from the source, store it, and what `tiles` does."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Protocol, Self

import numpy as np
import numpy.typing as npt

from idr_assets.imaging.errors import mask
from idr_assets.imaging.output.provenance import add_provenance
from idr_assets.imaging.output.read_back import NotAsWrittenError
from idr_assets.imaging.output.tile_writing import clear_plane
from idr_assets.imaging.planes import Plane
from idr_assets.imaging.segmentation.failures import fail_planes
from idr_assets.imaging.segmentation.label_numbers import Pixels
from idr_assets.imaging.segmentation.plane_results import PlaneFailure, count_saturated
from idr_assets.imaging.segmentation.stored_plane import StoredPlane
from idr_assets.imaging.segmentation.storing import begin_storing
from idr_assets.imaging.segmentation.tiles.grid import Box
from idr_assets.imaging.stores.zarr_settings import own_settings


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

    @classmethod
    def of(cls, pixels: Pixels) -> Self:
        """Look at pixels (y, x)."""
        return cls(float(pixels.min()), float(pixels.max()), count_saturated(pixels), _hash(pixels))


@dataclass(frozen=True)
class Copy:
    """Store the pixels of a tile, except of planes that are stored, and look at them."""

    tile: Box
    stored: frozenset[Plane]

    def run(self, plane: StoredPlane) -> dict[Plane, Copied]:
        """Return what is known of them."""
        return {source: Copied.of(pixels) for source, pixels in plane.copy(self.tile, self.stored)}


@dataclass(frozen=True)
class IsStored:
    """Find out whether the output has the pixels of a plane as the source is now."""

    source: Plane

    def run(self, plane: StoredPlane) -> bool:
        """Read the stored plane by tiles."""
        return plane.task.origins is not None and plane.task.origins.holds(self.source.block)


@dataclass(frozen=True)
class Prove:
    """Compute the origin of a plane, of which each tile has been stored with this hash."""

    source: Plane
    tiles: Sequence[tuple[Box, bytes]]

    def run(self, plane: StoredPlane) -> bytes | None:
        """Return the origin; None if none is noted."""
        origins = plane.task.origins
        return origins.compute_rows(self.source, self._rows(plane)) if origins else None

    def _rows(self, plane: StoredPlane) -> Iterator[Pixels]:
        for y, row in groupby(self.tiles, lambda tile: tile[0].y):
            tiles = list(row)
            pixels = plane.read_source(self.source, Box(y, range(tiles[-1][0].x.stop)))
            if any(_hash(pixels[:, box.slices[1]]) != digest for box, digest in tiles):
                message = (
                    f"{self.source} was written to {mask(plane.task.output.url)}, but its pixels were replaced "
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
