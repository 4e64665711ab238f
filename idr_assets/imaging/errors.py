"""What goes wrong with an image, in the user's words: the value, the consequence and the remedy."""

import re
import zlib
from typing import Any
from urllib.parse import urlsplit, urlunsplit

DAMAGED = (ValueError, RuntimeError, zlib.error)
"""What checksums and decoders raise for a damaged chunk of the output."""

INDIRECT = {
    *("async_wrapper", "asyncwrapper", "blockcache", "cached", "dask", "dir", "filecache", "generic", "libarchive"),
    *("reference", "simplecache", "tar", "zip"),
}
"""Protocols of fsspec that read another address, which their options give, and may store copies of it anywhere."""

IPV6 = re.compile(r"(?<=[/@])\[[0-9A-Fa-f:.]+\]")
"""A host that is an address of IPv6."""

WEB = {"http", "https"}


class ImageError(Exception):
    """An image is not what was asked for, or cannot be read; the message names value, consequence and remedy."""


class AbsentOutputError(ImageError):
    """An output does not exist, or has no such label group."""


class MissingChunkError(ImageError):
    """A store has no chunk where a plane should be.

    Attributes
    ----------
    places : frozenset of tuple
        The places (y, x) of the missing chunks in the plane, as far as they are known.

    """

    places: frozenset[tuple[int, int]] = frozenset()


class CorruptBodyError(ImageError):
    """A store answered with something other than what it holds.

    Attributes
    ----------
    digest : str
        What tells this answer from others, '' where it is not known.

    """

    digest = ""


class ForeignBodyError(CorruptBodyError):
    """A store answered with something of another kind: the same twice is its answer."""


class PageError(ForeignBodyError):
    """A store answered with a page, or with no document of Zarr, as servers do in place of what they do not have."""


def check_address(url: str) -> None:
    """Refuse an address that libraries would misread, and print with its secrets."""
    if _is_misread(url):
        message = (
            "The address of the image cannot be understood, and is not shown, for it may hold a password: nothing is "
            "read. Write # as %23, / in a password as %2F, @ in a path as %40, and keys of s3 into `storage_options`; "
            "an address behind another one, by `::` or by a protocol such as zip, is not read."
        )
        raise ImageError(message)


def _is_misread(url: str) -> bool:
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises ValueError unless it is a number
    except ValueError:
        return True
    if "::" in IPV6.sub("", url) or url.partition("://")[0] in INDIRECT:
        return True  # the address behind it is not a part of this URL
    if parts.scheme == "s3":
        return "@" in parts.netloc
    return parts.scheme in WEB and "@" in parts.path + parts.fragment


def mask(url: str) -> str:
    """Return a URL without what may be secret: user, password, parameters, query and fragment. The path is kept."""
    try:
        parts = urlsplit(url)
    except ValueError:  # of a host in brackets that is none; where its secrets are is not known
        return f"{url.partition('://')[0]}://***"
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


def mask_all(value: Any) -> Any:  # noqa: ANN401  any value that YAML may hold
    """Mask each address in a value of a YAML; the SHA-256 that proves what is fetched from it stays."""
    match value:
        case str() if "://" in value:
            address, sign, digest = value.partition("#sha256=")
            return f"{mask(address)}{sign}{digest}"
        case dict():
            return {name: mask_all(item) for name, item in value.items()}
        case list() | tuple():
            return [mask_all(item) for item in value]
    return value


def is_web(url: str) -> bool:
    """Return whether an address is of HTTP; its scheme is in lower case."""
    return url.partition("://")[0] in WEB


def split_query(url: str) -> tuple[str, str]:
    """Split a web address into what names a file and its query, '' where it has none; others have no query."""
    address, _, query = url.partition("?") if is_web(url) else (url, "", "")
    return address, query


def join_address(url: str, key: str) -> str:
    """Return the address of `key` below `url`; a query, such as a token, stays at the end."""
    address, query = split_query(url)
    return f"{address.rstrip('/')}/{key}" + (f"?{query}" if query else "")


def split_address(url: str) -> tuple[str, str]:
    """Split an address into the folder above and its own name, which is empty where there is no folder above."""
    parts = urlsplit(url) if "://" in url else None
    above, _, name = (parts.path if parts else url).rstrip("/").rpartition("/")
    if not name or not (above or parts):
        return url, ""
    return urlunsplit(parts._replace(path=above)) if parts else above, name
