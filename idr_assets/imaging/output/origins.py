"""Which pixels the output already has of an image as it is now: planes that need not be fetched again.

Beside the pixels, the output holds an origin for each plane: a SHA-256 of the source's state, the plane and its pixels.
A run writes it after the pixels. A later run uses stored pixels only if they, the plane and the state of the source as
it is now give the stored origin. An origin thus proves by itself that these pixels were read as this plane of this
image, whatever else happened: runs may overlap or be killed between two files, another image may have been written
meanwhile, a chunk may be damaged. None of these gives the same hash, and the plane is then fetched as usual. Labels
have no part in it, so that all segmentations of an image share its pixels.

The state is that of `Fingerprint`. It misses what no metadata show: chunks that were replaced alone or after the
metadata, and chunks that were wrong when they arrived. Read such an image with `reuse_pixels: false`. A local image is
always read, which costs no request.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import zarr

from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.output.arrays import open_array
from idr_assets.imaging.output.origin_array import ORIGINS, create_origin_array, write_digests
from idr_assets.imaging.output.output_image import OutputImage
from idr_assets.imaging.output.read_back import UNREADABLE
from idr_assets.imaging.planes import Block, Plane, within
from idr_assets.imaging.reading.level import Level


@dataclass(frozen=True)
class Origins:
    """The stored pixels of an output and their origins, for a source in one state.

    Attributes
    ----------
    url : str
        Address of the output.
    state : str
        State of the source, see `Fingerprint`.
    pixels, digests : zarr.Array
        (t, c, z, y, x) and (t, c, z, 1, byte) uint8. Both give zeros, which no hash is, for what is not stored.
    reuse : bool
        Whether stored pixels are used; if not, origins are only noted.

    """

    url: str
    state: str
    pixels: zarr.Array[Any]
    digests: zarr.Array[Any]
    reuse: bool

    def read(self, level: Level, block: Block) -> tuple[npt.NDArray[Any], set[Plane]]:
        """Read a block, (t, c, z, y, x) in the level's dtype; return it and the planes that came from the output.

        The others are fetched from the level all at once; a chunk or shard that several of them share, only once.
        Raises what `Level.read` raises.
        """
        stored, known = self._read_stored(block) if self.reuse else (None, set())
        missing = list(block.covering(set(block.planes()) - known, level.chunks))
        if stored is None or missing == [block]:
            return level.read(block), set()
        pixels = stored.astype(level.dtype)
        if missing:
            with ThreadPoolExecutor(len(missing)) as pool:
                for part, fetched in zip(missing, pool.map(level.read, missing), strict=True):
                    pixels[within(block, part)] = fetched
        return pixels, known.difference(*(part.planes() for part in missing))

    def holds(self, block: Block) -> bool:
        """Return whether reading a block would fetch nothing from the level."""
        return self.reuse and all(self._is_noted(plane) for plane in block.planes())

    def _is_noted(self, plane: Plane) -> bool:
        """Return whether the stored pixels of a plane have the origin that is noted."""
        try:
            noted = np.asarray(self.digests[plane.t, plane.c, plane.z])
            return bool(noted.any()) and self.compute_rows(plane, self._read_rows(plane)) == noted.tobytes()
        except UNREADABLE:
            return False

    def compute(self, block: Block, pixels: npt.NDArray[Any]) -> list[bytes]:
        """Compute the origin of each plane of a block with pixels (t, c, z, y, x), fetched or reused."""
        return [self._origin(plane, values) for plane, values in _each(block, pixels)]

    def compute_rows(self, plane: Plane, parts: Iterable[npt.NDArray[Any]]) -> bytes:
        """Compute the origin of a plane, of whose pixels `parts` are all rows, one part after the other."""
        shape = self.pixels.shape[3:]
        head = json.dumps([*self._head(plane), self.pixels.dtype.str, shape])
        digest = hashlib.sha256(head.encode() + b"\0")
        for part in parts:
            digest.update(np.ascontiguousarray(part, self.pixels.dtype))
        return digest.digest()

    def note(self, block: Block, origins: Sequence[bytes | None]) -> None:
        """Store the origins of a block's planes, which are stored; nothing if one is None, because all were reused.

        Two processes that note planes of one timepoint and channel at once may lose the origins of one. Planes whose
        origins are lost are fetched again when they are materialized again. Raises `ImageError` if origins cannot be
        stored.
        """
        known = [origin for origin in origins if origin]
        if len(known) == len(block):
            write_digests(self.url, self.digests, block, known)

    def _read_stored(self, block: Block) -> tuple[npt.NDArray[Any], set[Plane]]:
        """Read what is stored of a block, whatever it is, and find out which planes are of the image."""
        try:
            return self._compare(block)
        except UNREADABLE:  # a damaged chunk costs only its plane
            if len(block) == 1:
                return np.zeros((1, 1, 1, *self.pixels.shape[3:]), self.pixels.dtype), set()
            pixels, known = zip(*map(self._read_stored, block.single_planes()), strict=True)
            shape = len(block.t), len(block.c), len(block.z), *self.pixels.shape[3:]
            return np.concatenate(pixels).reshape(shape), set().union(*known)

    def _compare(self, block: Block) -> tuple[npt.NDArray[Any], set[Plane]]:
        where = np.array(block.t), np.array(block.c), np.array(block.z)
        digests = np.asarray(self.digests.oindex[where])
        if not digests.any():
            return np.zeros((*digests.shape[:3], *self.pixels.shape[3:]), self.pixels.dtype), set()
        pixels = np.asarray(self.pixels.oindex[where])
        noted = (digest.ravel() for _, digest in _each(block, digests))
        each = zip(_each(block, pixels), noted, strict=True)
        return pixels, {plane for (plane, values), digest in each if self._origin(plane, values) == digest.tobytes()}

    def _read_rows(self, plane: Plane) -> Iterator[npt.NDArray[Any]]:
        """Read the stored pixels of a plane, a row of chunks at a time."""
        step = self.pixels.chunks[3]
        for y in range(0, self.pixels.shape[3], step):
            yield np.asarray(self.pixels[plane.t, plane.c, plane.z, y : y + step])

    def _head(self, plane: Plane) -> list[object]:
        """Return the state of the source that a plane is of, and the plane's indices in it."""
        return [self.state, plane.t, plane.c, plane.z]

    def _origin(self, plane: Plane, values: npt.NDArray[Any]) -> bytes:
        return self.compute_rows(plane, [values])


def find_origins(url: str, level: Level, state: str, *, reuse: bool) -> Origins | None:
    """Open the origins of the output at `url`; None if it has none, or none that can be read or that fit the level."""
    try:
        pixels, digests = (open_array(url, path, missing_chunks="zeros") for path in ("0", ORIGINS))
    except (FileNotFoundError, ImageError):  # damaged metadata of origins are replaced; others report those of pixels
        return None
    fits = pixels.shape == level.shape and digests.shape[:3] == level.shape[:3]
    return Origins(url, state, pixels, digests, reuse) if fits else None


def create_origins(output: OutputImage, level: Level, state: str, *, reuse: bool) -> Origins | None:
    """Create the array of origins, or make it as long as the level, and open it; `ImageError` if the disk is full."""
    create_origin_array(output, level.shape)
    return find_origins(output.url, level, state, reuse=reuse)


def _each(block: Block, values: npt.NDArray[Any]) -> list[tuple[Plane, npt.NDArray[Any]]]:
    """Pair each plane of a block with its part of (t, c, z, ...)."""
    return list(zip(block.planes(), values.reshape(-1, *values.shape[3:]), strict=True))
