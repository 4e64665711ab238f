"""Open stores by address: local folders, HTTP and S3, for outputs and for images."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fsspec.core import split_protocol, url_to_fs
from fsspec.implementations.asyn_wrapper import AsyncFileSystemWrapper
from fsspec.implementations.local import LocalFileSystem
from zarr.abc.store import Store
from zarr.storage import FsspecStore, LocalStore

from idr_assets.imaging.errors import is_web, split_query
from idr_assets.imaging.stores import clients
from idr_assets.imaging.stores.zip_source import ZipSource, is_zip

S3_OPTIONS: Mapping[str, Any] = {
    "max_concurrency": 1,  # of requests for one chunk; with more, its size is asked for first
    "use_listings_cache": False,  # other processes write there too
}
"""Options of s3fs; `storage_options` of an image override them."""


def open_store(url: str) -> Store:
    """Open the Zarr store at an fsspec URL or a local path; nothing is read."""
    if is_local(url):
        return LocalStore(split_protocol(url)[1])
    return FsspecStore.from_url(url, storage_options=_options(url))


def open_filesystem(url: str) -> tuple[Any, str]:
    """Open the fsspec filesystem of a URL or a local path, and return it with the path in it; nothing is read."""
    if is_local(url):
        return LocalFileSystem(), split_protocol(url)[1]  # fsspec takes :: in the name of a folder for two addresses
    filesystem, path = url_to_fs(url, **_options(url))
    return filesystem, path


def open_source_store(url: str, storage_options: Mapping[str, Any] | None = None) -> Store:
    """Open the Zarr store of an image, read-only; nothing is read."""
    if is_archive(url):
        return ZipSource(*open_source(url, storage_options))
    if is_local(url):
        return LocalStore(split_protocol(url)[1], read_only=True)
    filesystem, path = open_source(url, storage_options)
    return FsspecStore(filesystem, read_only=True, path=path)


def is_archive(url: str) -> bool:
    """Return whether an address is that of an image in one file; a local folder may have such a name too."""
    return is_zip(url) and not (is_local(url) and Path(split_protocol(url)[1]).is_dir())


def open_source(url: str, storage_options: Mapping[str, Any] | None = None) -> tuple[Any, str]:
    """Open the asynchronous filesystem of an image, and return it with the path in it; nothing is read.

    Over HTTP the path is the address without its query, which the filesystem adds to each request.
    """
    options = _options(url) | {"asynchronous": True} | dict(storage_options or {})
    if is_web(url):
        address, query = split_query(url)
        if "#" in url:
            message = "what follows # is never sent to a server; write # as %23"
            raise ValueError(message)
        return clients.http_source.HttpSource(server="/".join(address.split("/")[:3]), query=query, **options), address
    if is_s3(url):
        return clients.s3_source.S3Source(**options), split_protocol(url)[1].rstrip("/")
    filesystem, path = url_to_fs(url, **options)
    return filesystem if filesystem.async_impl else AsyncFileSystemWrapper(filesystem, asynchronous=True), path


def is_local(url: str) -> bool:
    """Return whether an address is a path on a disk of this machine."""
    return split_protocol(url)[0] in (None, "file")


def is_s3(url: str) -> bool:
    """Return whether an address is on S3."""
    return bool(split_protocol(url)[0] == "s3")


def _options(url: str) -> dict[str, Any]:
    return dict(S3_OPTIONS) if is_s3(url) else {}
