"""Parts of bodies, and servers that do not support them, such as `python -m http.server`: they send the whole body."""

import re
from collections.abc import Mapping

from zarr.abc.store import ByteRequest, OffsetByteRequest, RangeByteRequest, SuffixByteRequest

from idr_assets.imaging.store_text import quote

CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")


class RangeIgnoredError(Exception):
    """A server sent all of `body` where a part of it was requested."""

    def __init__(self, body: bytes) -> None:
        """Keep the body, which contains the part."""
        super().__init__("the server sends whole bodies")
        self.body = body


def find_limits(wanted: ByteRequest | None, size: int) -> tuple[int, int]:
    """Return where the part that is asked for starts and stops in a body of `size` bytes; None stands for all of it."""
    match wanted:
        case RangeByteRequest(start, stop):
            return min(start, size), min(stop, size)
        case OffsetByteRequest(offset):
            return min(offset, size), size
        case SuffixByteRequest(suffix):
            return max(0, size - suffix), size
        case _:
            return 0, size


def part_length(part: str, most: int) -> int:
    """Return how many bytes a `Range` asks for at most, of an object of at most `most` bytes."""
    start, end = _limits(part)
    return -start if start < 0 else most if end is None else end - start


def wrong_part(part: str, headers: Mapping[str, str]) -> str | None:
    """Say that an answer does not hold the part that a `Range` asks for, or None."""
    said = headers.get("content-range", "")
    if not (found := CONTENT_RANGE.fullmatch(said)):
        return f"{part} was requested, and the answer does not say which part it holds (Content-Range {quote(said)})"
    start, end = _limits(part)
    last = int(found[2]) + 1
    size = int(found[3]) if found[3].isdecimal() else max(last, end or 0)
    if (int(found[1]), last) != slice(start, end).indices(size)[:2]:
        return f"{part} was requested, the answer holds {quote(said)}"
    return None


def version_of(headers: Mapping[str, str]) -> dict[str, str]:
    """Return what tells one version of an object from others: its ETag and its size, as far as an answer says them."""
    size = headers.get("content-range", "").rpartition("/")[2] or headers.get("content-length", "")
    return {"ETag": headers.get("etag", ""), "size": size if size.isdecimal() else ""}


def _limits(part: str) -> tuple[int, int | None]:
    """Return where a part starts and stops, as a slice does."""
    first, _, last = part.removeprefix("bytes=").partition("-")
    return (int(first) if first else -int(last)), int(last) + 1 if first and last else None
