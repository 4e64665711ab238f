"""What identifies a source as it is now: its metadata, and what its store says about them. No pixel is read."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fsspec.core import split_protocol

from idr_assets.imaging.errors import join_address
from idr_assets.imaging.ome_zarr.axes import AXES
from idr_assets.imaging.reading.file_info import read_file_info
from idr_assets.imaging.reading.level import Level
from idr_assets.imaging.reading.missing_chunks import DOCUMENT
from idr_assets.imaging.stores.by_address import is_archive

VALIDATORS = ("ETag", "etag", "Last-Modified", "LastModified", "updated", "last_modified", "mtime")
"""Names that stores give to what changes with a file; the most reliable first."""


@dataclass(frozen=True)
class Fingerprint:
    """What identifies a source as it is now.

    Attributes
    ----------
    digest : str
        16 hexadecimal digits of a SHA-256 over the array's metadata, its axes where their order is not TCZYX, and the
        first validator: an ETag, or a date where the store gives none. Dagster compares it to see what is stale.
    state : str or None
        The address, the level, the digest and every validator, from which origins are made. It changes more often than
        the digest: the ETag of many stores is a hash of the content, which stays the same where pixels are replaced
        below the same metadata. None for a local source, and where the store gives no validator.

    """

    digest: str
    state: str | None


def read_fingerprint(level: Level, storage_options: Mapping[str, Any] | None = None) -> Fingerprint:
    """Ask the store of a level, in one request, what identifies its pixels.

    Raises
    ------
    ImageError
        Where the store does not answer.

    """
    return fingerprint(level, read_file_info(find_document(level), storage_options, level.store.patience) or {})


def fingerprint(level: Level, info: Mapping[str, Any]) -> Fingerprint:
    """Return the fingerprint of a level by what its store says about the document that `find_document` names."""
    validators = [str(info[name]) for name in VALIDATORS if info.get(name)]
    digest = _hash(describe_level(level) + next(iter(validators), ""))
    if not validators or split_protocol(level.address)[0] in (None, "file"):
        return Fingerprint(digest, None)
    zeros: bool = level.array.config.read_missing_chunks
    return Fingerprint(digest, json.dumps([level.url, level.path, digest, validators, zeros]))


def hash_layout(level: Level) -> str:
    """Hash the metadata of a level except the lengths of T and Z: 16 hexadecimal digits.

    It stays the same if an image only grows in T or Z. Unlike a fingerprint, it does not depend on the date or ETag of
    the metadata file, which change when the image grows.
    """
    lengths = zip(level.geometry.axes, level.array.shape, strict=True)
    return _hash(describe_level(level, shape=[None if axis in {"t", "z"} else length for axis, length in lengths]))


def describe_level(level: Level, **changes: object) -> str:
    """Describe the metadata of a level's array, with changes, and the order of its axes."""
    metadata = repr(sorted((level.array.metadata.to_dict() | changes).items(), key=lambda item: item[0]))
    axes = level.geometry.axes  # in the usual order they add nothing, so that a fingerprint stays what it was
    return metadata if axes == tuple(axis for axis in AXES if axis in axes) else metadata + repr(axes)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def find_document(level: Level) -> str:
    """Return the address of the array's metadata document, or of the archive that holds the image."""
    document = DOCUMENT[level.array.metadata.zarr_format]
    place = level.address
    return place if is_archive(place) else join_address(place, f"{level.path}/{document}")
