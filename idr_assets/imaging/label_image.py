"""The output: an OME-Zarr 0.5 image that holds the segmented planes' pixels and their labels.

It has the full extent of the level in TCZYX with true indices and is sparse: a plane that was not segmented has no
chunk. What the labels mean and when they are made stands elsewhere.
"""

from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
import zarr
from zarr.codecs import Crc32cCodec, ZstdCodec
from zarr.errors import ChunkNotFoundError

from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.files import clear_partials, room, undisturbed
from idr_assets.imaging.multiscales import AXES
from idr_assets.imaging.nodes import create_node
from idr_assets.imaging.output_metadata import image_attributes, label_attributes
from idr_assets.imaging.planes import Block, LabelledPlane, Plane
from idr_assets.imaging.source import Level
from idr_assets.imaging.stores import open_store

LABELS = "labels/segmentation"
"""Path of the label group below the image."""

LONGEST_CHUNK = 2048
"""Height and width in pixels up to which a plane is one chunk: about 4 megapixels."""


@dataclass(frozen=True)
class LabelImage:
    """The output at `url`, opened.

    Both arrays are (t, c, z, y, x); `labels` is int32, 0 background, 1..n in each plane.
    """

    url: str
    pixels: zarr.Array[Any]
    labels: zarr.Array[Any]

    @property
    def plane_chunks(self) -> tuple[int, int]:
        """Height and width in pixels of the chunks that a plane is cut into."""
        return self.labels.chunks[3], self.labels.chunks[4]

    def write(self, block: Block, pixels: npt.NDArray[Any], labels: npt.NDArray[np.int32]) -> None:
        """Store the pixels and labels (t, c, z, y, x) of a block; no other plane is touched.

        Labels come last: a plane whose labels can be read has its pixels too. Raises `ImageError` on a full disk.
        """
        with room(self.url):
            undisturbed(lambda: self._write(block, pixels, labels))
        for array, plane, row in product((self.pixels, self.labels), block.planes(), range(self.labels.cdata_shape[3])):
            key = array.metadata.encode_chunk_key((plane.t, plane.c, plane.z, row, 0))
            clear_partials(array.store, f"{array.path}/{key}".rpartition("/")[0])

    def read(self, plane: Plane) -> LabelledPlane | None:
        """Read one plane, or None where it is not stored."""
        where = (plane.t, plane.c, plane.z)
        try:
            labels, pixels = np.asarray(self.labels[where]), np.asarray(self.pixels[where])
        except ChunkNotFoundError:
            return None
        return LabelledPlane(plane.t, plane.c, plane.z, pixels, labels)

    def _write(self, block: Block, pixels: npt.NDArray[Any], labels: npt.NDArray[np.int32]) -> None:
        for array, values in ((self.pixels, pixels), (self.labels, labels)):
            for index, channel in enumerate(block.c):
                array[block.t.start : block.t.stop, channel, block.z.start : block.z.stop] = values[:, index]


def open_label_image(url: str) -> LabelImage:
    """Open the output at `url`, for reading and writing; `ImageError` when it is not there."""
    try:
        arrays = [_open_array(url, path) for path in ("0", f"{LABELS}/0")]
    except FileNotFoundError as error:
        message = f"No label image at {url}: nothing was segmented yet. Materialize planes first."
        raise ImageError(message) from error
    return LabelImage(url, *arrays)


def create_label_image(url: str, level: Level) -> LabelImage:
    """Make the output for `level` at `url` unless it is there, and open it.

    Each document is written whole, from the root downwards, and only where there is none: processes that create at
    once agree, and one that was killed leaves the rest to the next.
    Raises `ImageError` when an output of another level, shape or dtype is there, of which nothing is overwritten, or on
    a full disk.
    """
    name = level.url.rstrip("/").rpartition("/")[2]
    _create_group(url, "", image_attributes(level, name) | {"idr_assets": {"level": level.path}})
    _check_level(url, level)
    _create_group(url, "labels", {"ome": {"version": "0.5", "labels": ["segmentation"]}})
    _create_group(url, LABELS, label_attributes(level) | {"idr_assets": {"provenance": "provenance"}})
    _create_array(url, "0", level.shape, level.dtype.newbyteorder("="))
    _create_array(url, f"{LABELS}/0", level.shape, np.dtype(np.int32))
    image = open_label_image(url)
    _check_extent(url, image, level)
    return image


def _open_array(url: str, path: str) -> zarr.Array[Any]:
    # Empty chunks are written: a plane without objects differs from a plane that is not there.
    config: Any = {"write_empty_chunks": True, "read_missing_chunks": False}
    return zarr.open_array(open_store(url), path=path, mode="r+", zarr_format=3, config=config)


def _create_array(url: str, path: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    height, width = (min(length, LONGEST_CHUNK) for length in shape[3:])
    create = partial(
        zarr.create_array,
        shape=shape,
        dtype=dtype,
        chunks=(1, 1, 1, height, width),
        compressors=[ZstdCodec(level=3), Crc32cCodec()],
        fill_value=0,
        dimension_names=tuple(AXES),
    )
    create_node(url, path, lambda store: create(store, name=path))


def _create_group(url: str, path: str, attributes: dict[str, Any]) -> None:
    create_node(url, path, lambda store: zarr.create_group(store, path=path, attributes=attributes))


def _check_level(url: str, level: Level) -> None:
    attributes: Any = zarr.open_group(open_store(url), mode="r").attrs.get("idr_assets", {})
    stored = attributes.get("level", level.path)
    if stored != level.path:
        message = (
            f"The output {url} holds level {stored!r} of its image, but level {level.path!r} is asked for: planes of "
            "two levels would mix, and nothing was written. Correct `level` in the YAML, move the output away or name "
            "the image anew."
        )
        raise ImageError(message)


def _check_extent(url: str, image: LabelImage, level: Level) -> None:
    stored, wanted = (image.pixels.shape, image.pixels.dtype), (level.shape, level.dtype.newbyteorder("="))
    if stored != wanted:
        message = (
            f"The output {url} holds shape {stored[0]} of {stored[1]}, but the level has shape {wanted[0]} of "
            f"{wanted[1]}: its planes do not fit, and nothing was written. Move the output away or name the image anew."
        )
        raise ImageError(message)
