"""What goes wrong with an image, in the user's words: the value, the consequence and the remedy."""

from urllib.parse import urlsplit, urlunsplit


class ImageError(Exception):
    """An image is not what was asked for, or cannot be read; the message names value, consequence and remedy."""


class MissingChunkError(ImageError):
    """A store has no chunk where a plane should be."""


class CorruptBodyError(ImageError):
    """A store answered, but not with what it holds."""


def masked(url: str) -> str:
    """Give a URL without what may be secret: user, password and query."""
    parts = urlsplit(url)
    user, _, host = parts.netloc.rpartition("@")
    if not (user or parts.query):
        return url
    netloc, query = (f"***@{host}" if user else host), ("***" if parts.query else "")
    return urlunsplit(parts._replace(netloc=netloc, query=query))
