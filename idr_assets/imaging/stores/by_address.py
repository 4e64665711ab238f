"""Stores by address: local folders, HTTP and S3, those that outputs are in and those that images are read from."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fsspec.core import split_protocol, url_to_fs
from fsspec.implementations.asyn_wrapper import AsyncFileSystemWrapper
from zarr.abc.store import Store
from zarr.storage import FsspecStore, LocalStore

from idr_assets.imaging.stores.http_session import http_session
from idr_assets.imaging.stores.zip_source import ZipSource, is_zip

STORAGE_OPTIONS: Mapping[str, dict[str, Any]] = {
    "http": {"get_client": http_session},
    "https": {"get_client": http_session},
    "s3": {
        "max_concurrency": 1,  # of requests for one chunk; with more, its size is asked for first
        "use_listings_cache": False,  # other processes write there too
    },
}
"""What fsspec is told for each protocol; of the store of an image, unless the user says otherwise."""


def open_store(url: str) -> Store:
    """Open the Zarr store at an fsspec URL or a local path; nothing is read."""
    protocol, path = split_protocol(url)
    if protocol in (None, "file"):
        return LocalStore(path)
    return FsspecStore.from_url(url, storage_options=STORAGE_OPTIONS.get(protocol))


def open_filesystem(url: str) -> tuple[Any, str]:
    """Open the fsspec filesystem at a URL or a local path, and give the path in it; nothing is read."""
    protocol, _ = split_protocol(url)
    filesystem, path = url_to_fs(url, **STORAGE_OPTIONS.get(protocol, {}))
    return filesystem, path


def open_source_store(url: str, storage_options: Mapping[str, Any] | None = None) -> Store:
    """Open the Zarr store of an image, read-only; nothing is read."""
    protocol, path = split_protocol(url)
    if is_archive(url):
        return ZipSource(*open_source(url, storage_options))
    if protocol in (None, "file"):
        return LocalStore(path, read_only=True)
    filesystem, path = open_source(url, storage_options)
    return FsspecStore(filesystem, read_only=True, path=path)


def is_archive(url: str) -> bool:
    """Tell whether an image lies in one file, by its name; a local folder may have such a name too."""
    protocol, path = split_protocol(url)
    return is_zip(url) and not (protocol in (None, "file") and Path(path).is_dir())


def open_source(url: str, storage_options: Mapping[str, Any] | None = None) -> tuple[Any, str]:
    """Open the filesystem of an image with its asynchronous methods, and give the path in it; nothing is read."""
    protocol, path = split_protocol(url)
    options = STORAGE_OPTIONS.get(protocol, {}) | {"asynchronous": True} | dict(storage_options or {})
    if protocol == "s3":
        from idr_assets.imaging.stores.s3_source import S3Source  # noqa: PLC0415  s3fs takes a second

        return S3Source(**options), path.rstrip("/")
    filesystem, path = url_to_fs(url, **options)
    return filesystem if filesystem.async_impl else AsyncFileSystemWrapper(filesystem, asynchronous=True), path
