"""The output: an OME-Zarr image that holds the segmented planes' pixels and their labels.

It has the full extent of the level in TCZYX with true indices and is sparse: a plane that was not segmented has no
chunk.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain, product
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import zarr
from zarr.errors import ChunkNotFoundError

from idr_assets.imaging.errors import DAMAGED, ImageError, mask
from idr_assets.imaging.lazy import LazyPlanes
from idr_assets.imaging.ome_zarr.formats import Format, format_of
from idr_assets.imaging.output.arrays import open_array
from idr_assets.imaging.output.files import exists
from idr_assets.imaging.output.nodes import list_label_groups
from idr_assets.imaging.output.remedies import explain_absent, explain_remains, make_again
from idr_assets.imaging.planes import MOST_PIXELS, Block, LabelledPlane, Plane, index_key
from idr_assets.imaging.store_text import cite

if TYPE_CHECKING:
    import dask.array as da

SEGMENTATION = "segmentation"
"""Name of the label group of an image with one segmentation."""


@dataclass(frozen=True)
class OutputImage:
    """The output at `url`, opened with its label group `labels/<name>`.

    Both arrays are (t, c, z, y, x); `labels` is int32, 0 background, 1..n in each plane or volume. `together` has, by
    label group, the channels whose pixels belong to the labels of a plane, where these are not those of its own alone.
    """

    url: str
    name: str
    pixels: zarr.Array[Any]
    labels: zarr.Array[Any]
    together: Mapping[str, tuple[int, ...]] = field(default_factory=dict, kw_only=True)

    @property
    def format(self) -> Format:
        """The version of OME-Zarr that it is written in."""
        return format_of(self.labels.metadata.zarr_format)

    @property
    def plane_chunks(self) -> tuple[int, int]:
        """Height and width in pixels of the chunks that a plane is cut into."""
        return self.labels.chunks[3], self.labels.chunks[4]

    @cached_property
    def _plane_grid(self) -> tuple[int, ...]:
        """Rows and columns of chunks that a plane is cut into, in each of the two arrays."""
        return self.labels.cdata_shape[3:]

    @property
    def chunks_per_plane(self) -> int:
        """Number of chunks that a plane is cut into, in each of the two arrays."""
        return math.prod(self._plane_grid)

    @property
    def chunks_of_plane(self) -> int:
        """Number of chunks that `chunk_keys` gives of a plane."""
        return self.chunks_per_plane * (1 + len(self.together.get(self.name, (0,))))

    def pixel_block(self, block: Block) -> Block:
        """Return the planes whose pixels are stored with the labels of a block."""
        return replace(block, c=self.together.get(self.name, block.c))

    def read(
        self, plane: Plane, labels_of: int | None = None, part: tuple[slice, slice] = (slice(None), slice(None))
    ) -> LabelledPlane | None:
        """Read one plane, or None if it is not stored; raise `ImageError` if it is damaged.

        `labels_of` is the channel whose labels are read with the plane's pixels, by default its own; `part` are the
        rows and columns that are read.
        """
        own = plane if labels_of is None else replace(plane, c=labels_of)
        if not (self.covers(plane) and self.covers(own)):
            return None
        try:
            labels = np.asarray(self.labels[own.t, own.c, own.z, *part])
            pixels = np.asarray(self.pixels[plane.t, plane.c, plane.z, *part])
        except ChunkNotFoundError:
            return None
        except DAMAGED as error:
            raise self._explain_damage(plane, error) from error
        return LabelledPlane(plane.t, plane.c, plane.z, pixels, labels)

    def thinned(self, side: int) -> tuple[slice, slice]:
        """Return rows and columns of a plane, every few if it is large, of which a picture of `side` pixels is made."""
        step = max(1, max(self.labels.shape[3:]) // (2 * side)) if self.is_large else 1
        return slice(None, None, step), slice(None, None, step)

    @property
    def is_large(self) -> bool:
        """Whether a plane is too large to be in memory as a whole."""
        return math.prod(self.labels.shape[3:]) > MOST_PIXELS

    def covers(self, plane: Plane) -> bool:
        """Return whether a plane is inside the arrays; they may not be as long yet as an image that grew."""
        shapes = zip((plane.t, plane.c, plane.z), self.labels.shape, self.pixels.shape, strict=False)
        return all(0 <= index < min(lengths) for index, *lengths in shapes)

    def lazy(self) -> "da.Array":
        """Return all labels as a lazy (t, c, z, y, x) dask array of int32; nothing is read.

        Computing raises `ImageError` for a plane that is not stored or damaged.
        """
        return LazyPlanes(self._read_labels, self.labels.shape, self.labels.dtype).array(self.labels.chunks)

    def explain_unstored(self, plane: Plane) -> ImageError:
        """Return the error for a plane without labels."""
        where = f"{mask(self.url)}, labels {self.name!r}"
        return ImageError(
            f"{plane} is not stored in {where}. Materialize it first. If it is outside of `window`, widen that before."
        )

    def read_grid(
        self, t: Sequence[int], c: Sequence[int], z: Sequence[int], labels_of: int | None = None
    ) -> dict[tuple[int, int, int], LabelledPlane | None]:
        """Read the planes at all these t, c and z, in one fetch if all are stored; None for one that is not.

        `labels_of` is as in `read`. Raises `ImageError` if one is damaged.
        """
        rows, columns = np.array(t), np.array(z)
        try:
            pixels = np.asarray(self.pixels.oindex[rows, np.array(c), columns])
            labels = np.asarray(self.labels.oindex[rows, np.array(c if labels_of is None else [labels_of]), columns])
            labels = np.broadcast_to(labels, pixels.shape)
        except (ChunkNotFoundError, IndexError, *DAMAGED):
            return {where: self.read(Plane(*where), labels_of) for where in product(t, c, z)}
        places = zip(product(t, c, z), np.ndindex(labels.shape[:3]), strict=True)
        return {where: LabelledPlane(*where, pixels[place], labels[place]) for where, place in places}

    def label_groups(self) -> list[str]:
        """Return the names of all label groups that a plane may have labels in."""
        return list_label_groups(self.url)

    def chunk_keys(self, plane: Plane) -> list[str]:
        """Return the keys, below the output, of all chunks of a plane: of its pixels, then of its labels."""
        pixels = (self._keys(it, "0") for it in self.pixel_block(plane.block).planes())
        return [*chain.from_iterable(pixels), *self.label_keys(plane, self.name)]

    def label_keys(self, plane: Plane, name: str) -> list[str]:
        """Return the keys, below the output, of the chunks of a plane in the label group `name`."""
        return self._keys(plane, f"labels/{name}/0")

    def _keys(self, plane: Plane, array: str) -> list[str]:
        encode = self.labels.metadata.encode_chunk_key
        return [f"{array}/{encode((plane.t, plane.c, plane.z, *at))}" for at in product(*map(range, self._plane_grid))]

    def _read_labels(self, chunk: Block, y: slice, x: slice) -> npt.NDArray[np.int32]:
        """Read the labels of a chunk, which holds one plane or a part of it."""
        (plane,) = chunk.planes()
        try:
            return np.asarray(self.labels[plane.t, plane.c, plane.z, y, x])[np.newaxis, np.newaxis, np.newaxis]
        except ChunkNotFoundError:
            raise self.explain_unstored(plane) from None
        except DAMAGED as error:
            raise self._explain_damage(plane, error) from error

    def _explain_damage(self, plane: Plane, error: Exception) -> ImageError:
        where = f"{mask(self.url)}, labels {self.name!r}"
        return ImageError(
            f"{plane} is damaged in {where}: it cannot be read back ({cite(error)}). "
            + make_again(self.url, self._partition(plane), None if self.name == SEGMENTATION else self.name)
        )

    def _partition(self, plane: Plane) -> str:
        """Return the key of the partition that a plane belongs to."""
        return "|".join(index_key(index, self.labels.shape[axis]) for axis, index in ((0, plane.t), (2, plane.z)))


def open_output(url: str, name: str = SEGMENTATION, together: Sequence[int] = ()) -> OutputImage:
    """Open the output at `url` for reading and writing; raise `AbsentOutputError` if it has no label group `name`.

    `together` are the channels whose pixels belong to the labels of a plane, if not those of its own alone.
    """
    try:
        arrays = [open_array(url, path) for path in ("0", f"labels/{name}/0")]
    except FileNotFoundError as error:
        if exists(f"{url}/labels/{name}"):
            raise explain_remains(url, name, "idr-assets resume {}") from error
        raise explain_absent(url, f"{mask(url)}/labels/{name}") from error
    return OutputImage(url, name, *arrays, together={name: tuple(together)} if together else {})
