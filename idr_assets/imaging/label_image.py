"""The output: an OME-Zarr image that holds the segmented planes' pixels and their labels.

It has the full extent of the level in TCZYX with true indices and is sparse: a plane that was not segmented has no
chunk. What the labels mean and when they are made stands elsewhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import zarr
from zarr.errors import ChunkNotFoundError

from idr_assets.imaging.errors import DAMAGED, ImageError, masked
from idr_assets.imaging.files import file_ends, remove_file, room
from idr_assets.imaging.formats import FORMATS, Format, format_of
from idr_assets.imaging.lazy import LazyPlanes
from idr_assets.imaging.output_arrays import clear_planes, open_array, write_planes
from idr_assets.imaging.planes import Block, LabelledPlane, Plane
from idr_assets.imaging.stores import open_filesystem

if TYPE_CHECKING:
    import dask.array as da

SEGMENTATION = "segmentation"
"""Name of the label group of an image with one segmentation."""


@dataclass(frozen=True)
class LabelImage:
    """The output at `url`, opened with its label group `labels/<name>`.

    Both arrays are (t, c, z, y, x); `labels` is int32, 0 background, 1..n in each plane.
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
        be read has the pixels that they belong to. Pixels that are all stored as they are stay, and are not written
        again. Raises `ImageError` on a full disk.
        """
        with room(self.url):
            there = self._have_pixels(block)
            if all(there) and self._has_pixels(block, pixels):
                clear_planes(block, self.pixels)
                arrays = []
            else:
                self._drop_labels_of_other_pixels(block, pixels, there)
                arrays = [(self.pixels, pixels)]
        write_planes(self.url, block, *arrays, (self.labels, labels))

    def read(self, plane: Plane) -> LabelledPlane | None:
        """Read one plane, or None where it is not stored; `ImageError` where it is damaged."""
        where = (plane.t, plane.c, plane.z)
        try:
            labels, pixels = np.asarray(self.labels[where]), np.asarray(self.pixels[where])
        except ChunkNotFoundError:
            return None
        except DAMAGED as error:
            raise self._damaged(plane, error) from error
        return LabelledPlane(plane.t, plane.c, plane.z, pixels, labels)

    def lazy(self) -> "da.Array":
        """Give all labels as a lazy (t, c, z, y, x) dask array of int32; nothing is read.

        Computing raises `ImageError` where a plane is not stored or damaged, and names it.
        """
        return LazyPlanes(self._read_labels, self.labels.shape, self.labels.dtype).array(self.labels.chunks)

    def not_stored(self, plane: Plane) -> ImageError:
        """Say that a plane has no labels."""
        return ImageError(f"{plane} is not stored in {masked(self.url)}, labels {self.name!r}. Materialize it first.")

    def read_grid(
        self, t: Sequence[int], c: Sequence[int], z: Sequence[int]
    ) -> dict[tuple[int, int, int], LabelledPlane | None]:
        """Read the planes at all these t, c and z, in one fetch where all are stored; None for one that is not.

        Raises `ImageError` where one is damaged.
        """
        indices = np.array(t), np.array(c), np.array(z)
        try:
            labels, pixels = (np.asarray(array.oindex[indices]) for array in (self.labels, self.pixels))
        except (ChunkNotFoundError, *DAMAGED):
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
        return ImageError(f"{plane} is damaged in {where}: it cannot be read back ({error}). Materialize it again.")

    def _drop_labels_of_other_pixels(self, block: Block, pixels: npt.NDArray[Any], there: list[bool]) -> None:
        for plane, values, is_there in zip(block.planes(), pixels.reshape(-1, *pixels.shape[3:]), there, strict=True):
            if is_there and self._has_other_pixels(plane, values):
                for name in label_groups(self.url):
                    self._remove(plane, name)

    def _have_pixels(self, block: Block) -> list[bool]:
        """Tell which planes have a first chunk of pixels: asking for all at once takes a tenth of reading each."""
        return [end is not None for end in file_ends(self.url, [self.chunk_keys(it)[0] for it in block.planes()], 1)]

    def _has_pixels(self, block: Block, pixels: npt.NDArray[Any]) -> bool:
        """Tell whether all pixels of a block are stored as they are: asking for all at once is fast."""
        try:
            stored = np.asarray(self.pixels.oindex[np.array(block.t), np.array(block.c), np.array(block.z)])
        except (ChunkNotFoundError, *DAMAGED):
            return False
        return np.array_equal(stored, pixels, equal_nan=pixels.dtype.kind == "f")

    def _has_other_pixels(self, plane: Plane, values: npt.NDArray[Any]) -> bool:
        """Tell whether pixels of a plane are stored that are not `values`, or are damaged."""
        try:
            stored = np.asarray(self.pixels[plane.t, plane.c, plane.z])
        except ChunkNotFoundError:
            return False
        except DAMAGED:
            return True
        return not np.array_equal(stored, values, equal_nan=values.dtype.kind == "f")

    def _remove(self, plane: Plane, name: str) -> None:
        own = f"{self.labels.path}/"
        for key in self.chunk_keys(plane):
            if key.startswith(own):
                remove_file(f"{self.url}/labels/{name}/0/{key.removeprefix(own)}")


def open_label_image(url: str, name: str = SEGMENTATION) -> LabelImage:
    """Open the output at `url` for reading and writing; `ImageError` when it, or its label group, is not there."""
    try:
        arrays = [open_array(url, path) for path in ("0", f"labels/{name}/0")]
    except FileNotFoundError as error:
        message = f"No label image at {masked(url)}/labels/{name}: nothing was segmented yet. Materialize planes first."
        raise ImageError(message) from error
    return LabelImage(url, name, *arrays)


def label_groups(url: str) -> list[str]:
    """Name the label groups of the output at `url`, in alphabetical order."""
    filesystem, root = open_filesystem(f"{url}/labels")
    filesystem.invalidate_cache(root)
    folders = filesystem.ls(root, detail=False)
    groups = {folder for folder in folders for each in FORMATS.values() if filesystem.exists(f"{folder}/{each.group}")}
    return sorted(folder.rpartition("/")[2] for folder in groups)
