"""The output: an OME-Zarr 0.5 image that holds the segmented planes' pixels and their labels.

It has the full extent of the level in TCZYX with true indices and is sparse: a plane that was not segmented has no
chunk. What the labels mean and when they are made stands elsewhere.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import zarr
from zarr.codecs import Crc32cCodec, ZstdCodec
from zarr.errors import ChunkNotFoundError, ContainsArrayError, ContainsGroupError

from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.multiscales import AXES
from idr_assets.imaging.planes import Block, LabelledPlane, Plane
from idr_assets.imaging.source import Level
from idr_assets.imaging.stores import open_store

LABELS = "labels/segmentation"
"""Path of the label group below the image."""

LONGEST_CHUNK = 2048
"""Height and width in pixels up to which a plane is one chunk: about 4 megapixels."""


@dataclass(frozen=True)
class LabelImage:
    """The opened output. Both arrays are (t, c, z, y, x); `labels` is int32, 0 background, 1..n in each plane."""

    pixels: zarr.Array[Any]
    labels: zarr.Array[Any]

    @property
    def plane_chunks(self) -> tuple[int, int]:
        """Height and width in pixels of the chunks that a plane is cut into."""
        return self.labels.chunks[3], self.labels.chunks[4]

    def write(self, block: Block, pixels: npt.NDArray[Any], labels: npt.NDArray[np.int32]) -> None:
        """Store the pixels and labels (t, c, z, y, x) of a block; no other plane is touched.

        Labels come last: a plane whose labels can be read has its pixels too.
        """
        for array, values in ((self.pixels, pixels), (self.labels, labels)):
            for index, channel in enumerate(block.c):
                array[block.t.start : block.t.stop, channel, block.z.start : block.z.stop] = values[:, index]

    def read(self, plane: Plane) -> LabelledPlane | None:
        """Read one plane, or None where it is not stored."""
        where = (plane.t, plane.c, plane.z)
        try:
            labels, pixels = np.asarray(self.labels[where]), np.asarray(self.pixels[where])
        except ChunkNotFoundError:
            return None
        return LabelledPlane(plane.t, plane.c, plane.z, pixels, labels)


def open_label_image(url: str) -> LabelImage:
    """Open the output at `url`, for reading and writing; `ImageError` when it is not there."""
    try:
        arrays = [_open_array(url, path) for path in ("0", f"{LABELS}/0")]
    except FileNotFoundError as error:
        message = f"No label image at {url}: nothing was segmented yet. Materialize planes first."
        raise ImageError(message) from error
    return LabelImage(*arrays)


def create_label_image(url: str, level: Level) -> LabelImage:
    """Make the output for `level` at `url` unless it is there, and open it.

    Each document is written whole, from the root downwards, and only where there is none: processes that create at
    once agree, and one that was killed leaves the rest to the next.
    Raises `ImageError` when an output of another shape or dtype is there; nothing is overwritten.
    """
    name = level.url.rstrip("/").rpartition("/")[2]
    _create_group(url, "", _ome(level, name))
    _create_group(url, "labels", {"ome": {"version": "0.5", "labels": ["segmentation"]}})
    _create_group(url, LABELS, _label_attributes(level))
    _create_array(url, "0", level.shape, level.dtype.newbyteorder("="))
    _create_array(url, f"{LABELS}/0", level.shape, np.dtype(np.int32))
    image = open_label_image(url)
    _check_extent(url, image, level)
    return image


def add_provenance(url: str, provenance: Mapping[str, Any]) -> None:
    """Note how planes of the output came to be, once for each way; the oldest way stands first."""
    group = zarr.open_group(open_store(url), path=LABELS, mode="r+")
    known = read_provenance(url)
    if provenance not in known:
        group.attrs["idr_assets"] = {"provenance": [*known, dict(provenance)]}


def read_provenance(url: str) -> list[dict[str, Any]]:
    """Tell every way in which planes of the output came to be: source, segmentation and versions."""
    attributes: Any = zarr.open_group(open_store(url), path=LABELS, mode="r").attrs.get("idr_assets", {})
    provenance: list[dict[str, Any]] = attributes.get("provenance", [])
    return provenance


def _open_array(url: str, path: str) -> zarr.Array[Any]:
    # Empty chunks are written: a plane without objects differs from a plane that is not there.
    config: Any = {"write_empty_chunks": True, "read_missing_chunks": False}
    return zarr.open_array(open_store(url), path=path, mode="r+", zarr_format=3, config=config)


def _create_array(url: str, path: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    height, width = (min(length, LONGEST_CHUNK) for length in shape[3:])
    with suppress(ContainsArrayError):
        zarr.create_array(
            open_store(url),
            name=path or None,
            shape=shape,
            dtype=dtype,
            chunks=(1, 1, 1, height, width),
            compressors=[ZstdCodec(level=3), Crc32cCodec()],
            fill_value=0,
            dimension_names=tuple(AXES),
        )


def _create_group(url: str, path: str, attributes: dict[str, Any]) -> None:
    with suppress(ContainsGroupError):
        zarr.create_group(open_store(url), path=path, attributes=attributes)


def _check_extent(url: str, image: LabelImage, level: Level) -> None:
    stored, wanted = (image.pixels.shape, image.pixels.dtype), (level.shape, level.dtype.newbyteorder("="))
    if stored != wanted:
        message = (
            f"The output {url} holds shape {stored[0]} of {stored[1]}, but the level has shape {wanted[0]} of "
            f"{wanted[1]}: its planes do not fit, and nothing was written. Move the output away or name the image anew."
        )
        raise ImageError(message)


def _label_attributes(level: Level) -> dict[str, Any]:
    ome: dict[str, Any] = _ome(level, "segmentation")["ome"]
    return {"ome": ome | {"image-label": {"source": {"image": "../../"}}}}


def _ome(level: Level, name: str) -> dict[str, Any]:
    """Describe a multiscale image of one level, which both the pixels and the labels are."""
    types = {"t": "time", "c": "channel"}
    axes = [
        {"name": axis, "type": types.get(axis, "space")} | ({"unit": unit} if unit else {})
        for axis, unit in zip(AXES, level.geometry.units, strict=True)
    ]
    scale = [1.0 if step is None else step for step in level.geometry.scale]
    dataset = {"path": "0", "coordinateTransformations": [{"type": "scale", "scale": scale}]}
    return {"ome": {"version": "0.5", "multiscales": [{"name": name, "axes": axes, "datasets": [dataset]}]}}
