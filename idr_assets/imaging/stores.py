"""Stores by address: local folders, HTTP and S3 behind one function for Zarr, and one for single files."""

from collections.abc import Mapping
from typing import Any

from fsspec.core import split_protocol, url_to_fs
from zarr.abc.store import Store
from zarr.storage import FsspecStore, LocalStore

from idr_assets.imaging.sessions import http_session

STORAGE_OPTIONS: Mapping[str, dict[str, Any]] = {
    "http": {"get_client": http_session},
    "https": {"get_client": http_session},
    "s3": {
        "max_concurrency": 1,  # of requests for one chunk; with more, its size is asked for first
        "use_listings_cache": False,  # other processes write there too
    },
}
"""What fsspec is told for each protocol unless the user says otherwise."""


def open_store(url: str, storage_options: Mapping[str, Any] | None = None, *, read_only: bool = False) -> Store:
    """Open the Zarr store at an fsspec URL or a local path; nothing is read."""
    protocol, path = split_protocol(url)
    if protocol in (None, "file"):
        return LocalStore(path, read_only=read_only)
    options = STORAGE_OPTIONS.get(protocol, {}) | dict(storage_options or {})
    return FsspecStore.from_url(url, storage_options=options, read_only=read_only)


def open_filesystem(url: str, storage_options: Mapping[str, Any] | None = None) -> tuple[Any, str]:
    """Open the fsspec filesystem at a URL or a local path, and give the path in it; nothing is read."""
    protocol, _ = split_protocol(url)
    filesystem, path = url_to_fs(url, **STORAGE_OPTIONS.get(protocol, {}) | dict(storage_options or {}))
    return filesystem, path
