"""The output: an OME-Zarr image that holds the segmented planes' pixels and their labels.

It has the full extent of the level in TCZYX with true indices and is sparse: a plane that was not segmented has no
chunk. What the labels mean and when they are made stands elsewhere.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import batched, chain, product, zip_longest
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import zarr
from zarr.errors import ChunkNotFoundError

from idr_assets.imaging.errors import DAMAGED, ImageError, masked
from idr_assets.imaging.lazy import LazyPlanes
from idr_assets.imaging.ome_zarr.formats import FORMATS, Format, format_of
from idr_assets.imaging.output.arrays import clear_planes, open_array, same_bits, write_planes
from idr_assets.imaging.output.files import file_ends, remove_file
from idr_assets.imaging.output.store_faults import explain_writes
from idr_assets.imaging.planes import Block, LabelledPlane, Plane
from idr_assets.imaging.store_text import cite
from idr_assets.imaging.stores.by_address import open_filesystem

if TYPE_CHECKING:
    import dask.array as da

SEGMENTATION = "segmentation"
"""Name of the label group of an image with one segmentation."""


@dataclass(frozen=True)
class OutputImage:
    """The output at `url`, opened with its label group `labels/<name>`.

    Both arrays are (t, c, z, y, x); `labels` is int32, 0 background, 1..n in each plane or volume.
    """

    url: str
    name: str
    pixels: zarr.Array[Any]
    labels: zarr.Array[Any]

    @property
    def format(self) -> Format:
        """The version of OME-Zarr that it is written in."""
        return format_of(self.labels.metadata.zarr_format)

    @property
    def plane_chunks(self) -> tuple[int, int]:
        """Height and width in pixels of the chunks that a plane is cut into."""
        return self.labels.chunks[3], self.labels.chunks[4]

    def write(self, block: Block, pixels: npt.NDArray[Any], labels: npt.NDArray[np.int32]) -> None:
        """Store the pixels and labels (t, c, z, y, x) of a block; no other plane is touched.

        Labels come last, and those of other pixels are taken away first, of every label group: a plane whose labels can
        be read has the pixels that they belong to, unless two runs write other pixels of it at the same moment. Where
        all of the block's pixels are stored, bit for bit, labels alone are written. Raises `ImageError` on a full disk.
        """
        with explain_writes(self.url):
            labelled = self._labelled(block)
            same = all(labelled.values()) and self._has_pixels(block, pixels)
            self._clear_the_way(labelled, [] if same else [*pixels.reshape(-1, *pixels.shape[3:])])
        if same:
            clear_planes(block, self.pixels)
        write_planes(self.url, block, *([] if same else [(self.pixels, pixels)]), (self.labels, labels))

    def read(self, plane: Plane) -> LabelledPlane | None:
        """Read one plane, or None where it is not stored; `ImageError` where it is damaged."""
        where = (plane.t, plane.c, plane.z)
        if not self.covers(plane):
            return None
        try:
            labels, pixels = np.asarray(self.labels[where]), np.asarray(self.pixels[where])
        except ChunkNotFoundError:
            return None
        except DAMAGED as error:
            raise self._damaged(plane, error) from error
        return LabelledPlane(plane.t, plane.c, plane.z, pixels, labels)

    def covers(self, plane: Plane) -> bool:
        """Tell whether the arrays have a place for a plane; of an image that grew, they may not have one yet."""
        shapes = zip((plane.t, plane.c, plane.z), self.labels.shape, self.pixels.shape, strict=False)
        return all(0 <= index < min(lengths) for index, *lengths in shapes)

    def lazy(self) -> "da.Array":
        """Give all labels as a lazy (t, c, z, y, x) dask array of int32; nothing is read.

        Computing raises `ImageError` where a plane is not stored or damaged, and names it.
        """
        return LazyPlanes(self._read_labels, self.labels.shape, self.labels.dtype).array(self.labels.chunks)

    def not_stored(self, plane: Plane) -> ImageError:
        """Say that a plane has no labels."""
        where = f"{masked(self.url)}, labels {self.name!r}"
        return ImageError(
            f"{plane} is not stored in {where}. Materialize it first. If it is outside of `window`, widen that before."
        )

    def read_grid(
        self, t: Sequence[int], c: Sequence[int], z: Sequence[int]
    ) -> dict[tuple[int, int, int], LabelledPlane | None]:
        """Read the planes at all these t, c and z, in one fetch where all are stored; None for one that is not.

        Raises `ImageError` where one is damaged.
        """
        indices = np.array(t), np.array(c), np.array(z)
        try:
            labels, pixels = (np.asarray(array.oindex[indices]) for array in (self.labels, self.pixels))
        except (ChunkNotFoundError, IndexError, *DAMAGED):
            return {where: self.read(Plane(*where)) for where in product(t, c, z)}
        places = zip(product(t, c, z), np.ndindex(labels.shape[:3]), strict=True)
        return {where: LabelledPlane(*where, pixels[place], labels[place]) for where, place in places}

    def chunk_keys(self, plane: Plane) -> list[str]:
        """Give the keys, below the output, of all chunks of a plane: those of its pixels, then those of its labels."""
        grid = list(product([plane.t], [plane.c], [plane.z], *map(range, self.labels.cdata_shape[3:])))
        arrays = self.pixels, self.labels
        return [f"{array.path}/{array.metadata.encode_chunk_key(at)}" for array in arrays for at in grid]

    def remove(self, block: Block) -> None:
        """Take the labels of a block away, so that its planes are not stored; pixels stay, for other label groups."""
        for plane in block.planes():
            self._remove(plane, self.name)

    def _read_labels(self, chunk: Block, y: slice, x: slice) -> npt.NDArray[np.int32]:
        """Read the labels of a chunk, which holds one plane or less."""
        (plane,) = chunk.planes()
        try:
            return np.asarray(self.labels[plane.t, plane.c, plane.z, y, x])[np.newaxis, np.newaxis, np.newaxis]
        except ChunkNotFoundError:
            raise self.not_stored(plane) from None
        except DAMAGED as error:
            raise self._damaged(plane, error) from error

    def _damaged(self, plane: Plane, error: Exception) -> ImageError:
        where = f"{masked(self.url)}, labels {self.name!r}"
        return ImageError(
            f"{plane} is damaged in {where}: it cannot be read back ({cite(error)}). Materialize it again."
        )

    def _labelled(self, block: Block) -> dict[Plane, list[str]]:
        """Name the label groups that have any chunk of each plane: asking for all at once is fast."""
        each = list(product(block.planes(), label_groups(self.url)))
        keys = chain(*(self._label_keys(plane, name) for plane, name in each))
        ends = batched(file_ends(self.url, [*keys], 1), self._chunks_of_a_plane)
        found: dict[Plane, list[str]] = {plane: [] for plane in block.planes()}
        for (plane, name), own in zip(each, ends, strict=True):
            if any(end is not None for end in own):
                found[plane].append(name)
        return found

    def _clear_the_way(self, labelled: Mapping[Plane, list[str]], pixels: Sequence[npt.NDArray[Any]]) -> None:
        """Remove labels of other pixels than these, and of cut planes those that would be replaced chunk by chunk."""
        for plane, values in zip_longest(labelled, pixels):
            if values is not None and labelled[plane] and not self._has_pixels(plane.block, values):
                self._remove(plane, *labelled[plane])
            elif self.name in labelled[plane] and self._chunks_of_a_plane > 1:
                self._remove(plane, self.name)

    def _has_pixels(self, block: Block, pixels: npt.NDArray[Any]) -> bool:
        """Tell whether all pixels of a block are stored as they are; what cannot be read is not."""
        try:
            stored = np.asarray(self.pixels.oindex[np.array(block.t), np.array(block.c), np.array(block.z)])
        except (OSError, *DAMAGED):
            return False
        return same_bits(stored, pixels.reshape(stored.shape))

    @property
    def _chunks_of_a_plane(self) -> int:
        return math.prod(self.labels.cdata_shape[3:])

    def _label_keys(self, plane: Plane, name: str) -> list[str]:
        own = f"{self.labels.path}/"
        keys = (key.removeprefix(own) for key in self.chunk_keys(plane) if key.startswith(own))
        return [f"labels/{name}/0/{key}" for key in keys]

    def _remove(self, plane: Plane, *names: str) -> None:
        for key in chain(*(self._label_keys(plane, name) for name in names)):
            remove_file(f"{self.url}/{key}")


def open_output(url: str, name: str = SEGMENTATION) -> OutputImage:
    """Open the output at `url` for reading and writing; `ImageError` when it, or its label group, is not there."""
    try:
        arrays = [open_array(url, path) for path in ("0", f"labels/{name}/0")]
    except FileNotFoundError as error:
        message = f"No output at {masked(url)}/labels/{name}: nothing was segmented yet. Materialize planes first."
        raise ImageError(message) from error
    return OutputImage(url, name, *arrays)


def label_groups(url: str) -> list[str]:
    """Name the label groups of the output at `url`, in alphabetical order."""
    filesystem, root = open_filesystem(f"{url}/labels")
    filesystem.invalidate_cache(root)
    folders = filesystem.ls(root, detail=False)
    groups = {folder for folder in folders for each in FORMATS.values() if filesystem.exists(f"{folder}/{each.group}")}
    return sorted(folder.rpartition("/")[2] for folder in groups)
