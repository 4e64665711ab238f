"""Refuse to write to an output that does not fit: planes would mix, or files of the user would be overwritten."""

from os.path import realpath
from typing import Any

import numpy as np
import zarr
from fsspec.core import split_protocol

from idr_assets.imaging.errors import ImageError, mask
from idr_assets.imaging.ome_zarr.formats import Version, format_of
from idr_assets.imaging.output.arrays import open_array
from idr_assets.imaging.output.nodes import find_group
from idr_assets.imaging.planes import has_grown
from idr_assets.imaging.reading.level import Level
from idr_assets.imaging.store_text import quote
from idr_assets.imaging.stores.by_address import open_store


def check_owner(url: str, level: Level, version: Version) -> None:
    """Raise `ImageError` if `url` is the source, another image, or an output of another OME-Zarr version."""
    found = find_group(url)
    if _place(level.address) == _place(url) or (found is not None and "idr_assets" not in found.attrs):
        message = (
            f"{mask(url)} is where the labels go, but another image lies there. Its files would be overwritten, "
            "so nothing was written. Move that image, or rename the folder of the YAML, which names the output."
        )
        raise ImageError(message)
    stored = format_of(found.metadata.zarr_format).version if found is not None else version
    if stored != version:
        message = (
            f"The output {mask(url)} is OME-Zarr {stored}, but the YAML asks for {version}: files of both would mix, "
            f'so nothing was written. Write `format: "{stored}"` in the YAML, or rename the image, or move the output '
            "away and materialize all of its planes again."
        )
        raise ImageError(message)


def check_level(url: str, level: Level) -> None:
    """Raise `ImageError` if the output has another level of its image."""
    attributes: Any = zarr.open_group(open_store(url), mode="r").attrs.get("idr_assets", {})
    stored = attributes.get("level", level.path)
    if stored != level.path:
        message = (
            f"The output {mask(url)} holds level {quote(stored)} of its image, but the YAML asks for level "
            f"{quote(level.path)}: planes of two levels would mix, so nothing was written. Correct `level` in the "
            "YAML, rename the image, or move the output away."
        )
        raise ImageError(message)


def check_extent(url: str, level: Level, name: str) -> None:
    """Raise `ImageError` if stored pixels or labels have another dtype, or a shape that did not just grow."""
    _check_array(url, "0", level, level.dtype.newbyteorder("="))
    _check_array(url, f"labels/{name}/0", level, np.dtype(np.int32))


def _check_array(url: str, path: str, level: Level, dtype: np.dtype[Any]) -> None:
    try:
        array = open_array(url, path)
    except FileNotFoundError:
        return
    if array.dtype != dtype or not (array.shape == level.shape or has_grown(level.shape, array.shape)):
        where = mask(url) if path == "0" else f"{mask(url)}/{path}"
        message = (
            f"The output {where} holds shape {array.shape} of {array.dtype}, but the level has shape {level.shape} of "
            f"{dtype}: its planes do not fit, so nothing was written. Only T and Z may become longer. Rename the "
            "image, or move the output away."
        )
        raise ImageError(message)


def _place(url: str) -> str:
    protocol, path = split_protocol(url)
    return realpath(path) if protocol in (None, "file") else f"{protocol}://{path.rstrip('/')}"
