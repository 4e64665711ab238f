"""What goes wrong with an image, in the user's words: the value, the consequence and the remedy."""

import zlib
from urllib.parse import urlsplit, urlunsplit

DAMAGED = (ValueError, RuntimeError, zlib.error)
"""What Zarr raises for a damaged chunk of the output: the checksum, the decoders."""

INDIRECT = {
    *("async_wrapper", "asyncwrapper", "blockcache", "cached", "dask", "dir", "filecache", "generic", "libarchive"),
    *("reference", "simplecache", "tar", "zip"),
}
"""Protocols of fsspec that read another address, which options tell, and may keep copies of it wherever these say."""


class ImageError(Exception):
    """An image is not what was asked for, or cannot be read; the message names value, consequence and remedy."""


class MissingChunkError(ImageError):
    """A store has no chunk where a plane should be."""


class CorruptBodyError(ImageError):
    """A store answered, but not with what it holds."""


def check_address(url: str) -> None:
    """Refuse an address that libraries would misread, and print with what is secret in it."""
    if _is_misread(url):
        message = (
            "The address of the image cannot be understood, and is not shown, for it may hold a password: nothing is "
            "read. Write / and # in a password as %2F and %23, @ in a path as %40, and keys of s3 into "
            "`storage_options`; an address behind another one, by `::` or by a protocol such as zip, is not read."
        )
        raise ImageError(message)


def _is_misread(url: str) -> bool:
    try:
        parts = urlsplit(url)
        _ = parts.port  # a ValueError unless it is a number
    except ValueError:
        return True
    if "::" in url or url.partition("://")[0] in INDIRECT:  # whose addresses behind are no part of any of these
        return True
    if parts.scheme == "s3":
        return "@" in parts.netloc
    return parts.scheme in {"http", "https"} and "@" in parts.path + parts.fragment


def masked(url: str) -> str:
    """Give a URL without what may be secret: user, password, parameters, query and fragment. Paths are shown whole."""
    parts = urlsplit(url)
    if not (parts.scheme or parts.netloc):
        return url
    user, _, host = parts.netloc.rpartition("@")
    path, parameters, _ = parts.path.partition(";")
    return urlunsplit(
        (
            parts.scheme,
            f"***@{host}" if user else host,
            f"{path};***" if parameters else path,
            parts.query and "***",
            parts.fragment and "***",
        )
    )
