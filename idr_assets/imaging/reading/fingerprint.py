"""What identifies the pixels of an image from outside, without reading any."""

import hashlib
from collections.abc import Mapping
from typing import Any

from idr_assets.imaging.reading.chunk_store import file_info
from idr_assets.imaging.reading.level import Level

STAMPS = ("ETag", "etag", "Last-Modified", "LastModified", "updated", "last_modified", "mtime")
"""What stores call that which changes with a file, in the order in which it is trusted."""


def fingerprint(level: Level, storage_options: Mapping[str, Any] | None = None) -> str:
    """Hash what identifies the remote pixels: the array's metadata and their ETag or modification date.

    Where a store tells neither, the metadata document itself is hashed. A SHA-256 in hexadecimal, 16 digits.
    Raises `ImageError` when the store does not answer.
    """
    identity = next(iter(stamps(level, storage_options)), "")
    stored = repr(sorted(level.array.metadata.to_dict().items(), key=lambda item: item[0]))
    return hashlib.sha256(f"{stored}{identity}".encode()).hexdigest()[:16]


def stamps(level: Level, storage_options: Mapping[str, Any] | None = None) -> list[str]:
    """Ask the store for ETag and modification date of the array's metadata document, as far as it tells them.

    Raises `ImageError` when the store does not answer.
    """
    document = {2: ".zarray", 3: "zarr.json"}[level.array.metadata.zarr_format]
    store: Any = level.array.store_path.store
    info = file_info(f"{level.address.rstrip('/')}/{level.path}/{document}", storage_options, store.patience) or {}
    return [str(info[name]) for name in STAMPS if info.get(name)]
