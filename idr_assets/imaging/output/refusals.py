"""Refuse to write into what is no output of this image: it would mix, or overwrite what the user has.

What is asked is read; nothing is written here.
"""

from os.path import realpath
from typing import Any

import numpy as np
import zarr
from fsspec.core import split_protocol

from idr_assets.imaging.errors import ImageError, masked
from idr_assets.imaging.ome_zarr.formats import Version, format_of
from idr_assets.imaging.output.arrays import open_array
from idr_assets.imaging.output.nodes import find_group
from idr_assets.imaging.planes import has_grown
from idr_assets.imaging.reading.level import Level
from idr_assets.imaging.store_text import quote
from idr_assets.imaging.stores.by_address import open_store


def check_owner(url: str, level: Level, version: Version) -> None:
    """Raise `ImageError` where the source is, or an image that is no output, or one of another OME-Zarr version."""
    found = find_group(url)
    if _place(level.address) == _place(url) or (found is not None and "idr_assets" not in found.attrs):
        message = (
            f"{masked(url)} is where the labels go, but another image lies there, so that its files would be "
            "overwritten, and nothing was written. Move that image, or give the folder of the YAML, which names the "
            "output, another name."
        )
        raise ImageError(message)
    stored = format_of(found.metadata.zarr_format).version if found is not None else version
    if stored != version:
        message = (
            f"The output {masked(url)} is OME-Zarr {stored}, but {version} is asked for: files of both would mix, and "
            f'nothing was written. Write `format: "{stored}"` in the YAML, or move the output away, after which all of '
            "its planes are to be materialized again, or name the image anew."
        )
        raise ImageError(message)


def check_level(url: str, level: Level) -> None:
    """Raise `ImageError` where the output that is there holds another level."""
    attributes: Any = zarr.open_group(open_store(url), mode="r").attrs.get("idr_assets", {})
    stored = attributes.get("level", level.path)
    if stored != level.path:
        message = (
            f"The output {masked(url)} holds level {quote(stored)} of its image, but level {quote(level.path)} is "
            "asked for: planes of two levels would mix, and nothing was written. Correct `level` in the YAML, move the "
            "output away or name the image anew."
        )
        raise ImageError(message)


def check_extent(url: str, level: Level, name: str) -> None:
    """Raise `ImageError` where the stored pixels or labels `name` have another dtype, or a shape that did not grow."""
    _check_array(url, "0", level, level.dtype.newbyteorder("="))
    _check_array(url, f"labels/{name}/0", level, np.dtype(np.int32))


def _check_array(url: str, path: str, level: Level, dtype: np.dtype[Any]) -> None:
    try:
        array = open_array(url, path)
    except FileNotFoundError:
        return
    if array.dtype != dtype or not (array.shape == level.shape or has_grown(level.shape, array.shape)):
        where = masked(url) if path == "0" else f"{masked(url)}/{path}"
        message = (
            f"The output {where} holds shape {array.shape} of {array.dtype}, but the level has shape {level.shape} of "
            f"{dtype}: its planes do not fit, and nothing was written. Only T and Z may become longer. Move the output "
            "away or name the image anew."
        )
        raise ImageError(message)


def _place(url: str) -> str:
    protocol, path = split_protocol(url)
    return realpath(path) if protocol in (None, "file") else f"{protocol}://{path.rstrip('/')}"
