"""Which pixels the output has of an image as it is now: planes that need not be fetched again.

Beside the pixels the output holds an origin for each plane: the SHA-256 of the source's state, the plane and its
pixels. A run writes it after the pixels, and a later one takes stored pixels only where they, the plane and the
state of the source as it is now give the origin that is stored. So it proves by itself that these pixels were read as
this plane of this image, whatever else happened: runs may overlap and be killed between two files, another image may
have been written in between, a chunk may be damaged. None of that yields the same hash; the plane is then fetched as
ever. Labels are no part of it, so that all segmentations of an image share its pixels.

Origins are short: a file for each takes as long to write as the plane to segment. So a file holds those of up to 2,048
slices of a timepoint and channel, and the run itself writes it, not its workers, which have several blocks of the same
slices. Outputs that were made when a file held one plane keep that layout.

The state is that of `Fingerprint`. What no metadata tell is not seen: chunks that are replaced alone, or after the
metadata, and those that came wrong. Such an image is read with `reuse_pixels: false`. A local one always is: that costs
no request.
"""

import hashlib
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, dataclass
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
import zarr

from idr_assets.imaging.errors import DAMAGED, ImageError
from idr_assets.imaging.output.arrays import open_array, write_planes
from idr_assets.imaging.output.creation import create_array
from idr_assets.imaging.output.growth import grow_array
from idr_assets.imaging.output.output_image import OutputImage
from idr_assets.imaging.output.read_back import UNREADABLE
from idr_assets.imaging.planes import Block, Plane
from idr_assets.imaging.reading.level import Level
from idr_assets.imaging.store_text import cite

ORIGINS = "origins"
"""Path of the array of origins below the output, (t, c, z, 1, byte) uint8."""

BYTES = hashlib.sha256().digest_size


@dataclass(frozen=True)
class Origins:
    """The stored pixels of the output at `url`, and their origins, for the source in the state `state`.

    Both arrays give zeros for what is not stored, which no hash is. Without `reuse` origins are noted, and never used.
    """

    url: str
    state: str
    pixels: zarr.Array[Any]
    digests: zarr.Array[Any]
    reuse: bool

    def read(self, level: Level, block: Block) -> tuple[npt.NDArray[Any], set[Plane]]:
        """Read a block, (t, c, z, y, x) in the level's dtype, and tell which planes came from the output.

        The others are fetched from the level all at once; a chunk or shard of it that several of them share, once.
        Raises what `Level.read` does.
        """
        stored, known = self._stored(block) if self.reuse else (None, set())
        missing = list(block.covering(set(block.planes()) - known, level.chunks))
        if stored is None or missing == [block]:
            return level.read(block), set()
        pixels = stored.astype(level.dtype)
        if missing:
            with ThreadPoolExecutor(len(missing)) as pool:
                for part, fetched in zip(missing, pool.map(level.read, missing), strict=True):
                    pixels[_within(block, part)] = fetched
        return pixels, known.difference(*(part.planes() for part in missing))

    def holds(self, block: Block) -> bool:
        """Tell whether reading a block fetches nothing from the level."""
        return self.reuse and len(self._stored(block)[1]) == len(block)

    def of(self, block: Block, pixels: npt.NDArray[Any]) -> list[bytes]:
        """Give the origin of each plane of a block, whose pixels (t, c, z, y, x) were fetched or reused."""
        return [self._origin(plane, values) for plane, values in _each(block, pixels)]

    def note(self, block: Block, origins: Sequence[bytes | None]) -> None:
        """Note the origins of a block's planes, which are stored; nothing where one is None, as all that were reused.

        Two who note planes of one timepoint and channel at once may lose those of one. Raises `ImageError` where they
        cannot be noted. Pixels of lost origins are fetched again when their planes are materialized again.
        """
        known = [origin for origin in origins if origin]
        if len(known) < len(block):
            return
        values = np.frombuffer(b"".join(known), np.uint8).reshape(len(block.t), len(block.c), len(block.z), 1, BYTES)
        try:
            try:
                write_planes(self.url, block, (self.digests, values))
            except DAMAGED:
                self._clear_unreadable(block)
                write_planes(self.url, block, (self.digests, values))
        except (ImageError, *UNREADABLE) as error:
            message = f"The planes are stored, but their origins cannot be noted ({cite(error.__cause__ or error)})."
            raise ImageError(message) from error

    def _clear_unreadable(self, block: Block) -> None:
        """Write zeros in place of the chunks of a block's origins that cannot be read, whatever else they held."""
        step = self.digests.chunks[2]
        for t, c, start in product(block.t, block.c, sorted({z // step * step for z in block.z})):
            where = t, c, slice(start, start + step)
            try:
                self.digests[where]
            except UNREADABLE:
                self.digests[where] = 0

    def _stored(self, block: Block) -> tuple[npt.NDArray[Any], set[Plane]]:
        """Read what is stored of a block, whatever it is, and tell which planes are of the image."""
        try:
            return self._compared(block)
        except UNREADABLE:  # a damaged chunk, which costs its plane alone
            if len(block) == 1:
                return np.zeros((1, 1, 1, *self.pixels.shape[3:]), self.pixels.dtype), set()
            pixels, known = zip(*map(self._stored, block.single_planes()), strict=True)
            shape = len(block.t), len(block.c), len(block.z), *self.pixels.shape[3:]
            return np.concatenate(pixels).reshape(shape), set().union(*known)

    def _compared(self, block: Block) -> tuple[npt.NDArray[Any], set[Plane]]:
        where = np.array(block.t), np.array(block.c), np.array(block.z)
        digests = np.asarray(self.digests.oindex[where])
        if not digests.any():
            return np.zeros((*digests.shape[:3], *self.pixels.shape[3:]), self.pixels.dtype), set()
        pixels = np.asarray(self.pixels.oindex[where])
        noted = (digest.ravel() for _, digest in _each(block, digests))
        each = zip(_each(block, pixels), noted, strict=True)
        return pixels, {plane for (plane, values), digest in each if self._origin(plane, values) == digest.tobytes()}

    def _origin(self, plane: Plane, values: npt.NDArray[Any]) -> bytes:
        stored = np.ascontiguousarray(values, self.pixels.dtype)
        head = json.dumps([self.state, plane.t, plane.c, plane.z, stored.dtype.str, stored.shape])
        digest = hashlib.sha256(head.encode() + b"\0")
        digest.update(stored)
        return digest.digest()


def find_origins(url: str, level: Level, state: str, *, reuse: bool) -> Origins | None:
    """Open the origins of the output at `url`; None where it has none that can be read, or is not of the level."""
    try:
        pixels, digests = (open_array(url, path, missing_chunks="zeros") for path in ("0", ORIGINS))
    except (FileNotFoundError, ImageError):  # damaged metadata of origins are made anew; of pixels others tell
        return None
    fits = pixels.shape == level.shape and digests.shape[:3] == level.shape[:3]
    return Origins(url, state, pixels, digests, reuse) if fits else None


def create_origins(output: OutputImage, level: Level, state: str, *, reuse: bool) -> Origins | None:
    """Make the array of origins, or make it as long as the level, and open it; `ImageError` on a full disk."""
    shape = (*level.shape[:3], 1, BYTES)
    create_array(output.url, ORIGINS, shape, np.dtype(np.uint8), output.format, slices=level.shape[2])
    grow_array(output.url, ORIGINS, shape)
    return find_origins(output.url, level, state, reuse=reuse)


def _each(block: Block, values: npt.NDArray[Any]) -> list[tuple[Plane, npt.NDArray[Any]]]:
    """Give each plane of a block with its part of (t, c, z, ...)."""
    return list(zip(block.planes(), values.reshape(-1, *values.shape[3:]), strict=True))


def _within(block: Block, part: Block) -> tuple[Any, ...]:
    """Give the open mesh of indices at which a part of a block lies in (t, c, z, ...)."""
    return np.ix_(
        *([outer.index(index) for index in inner] for outer, inner in zip(astuple(block), astuple(part), strict=True))
    )
