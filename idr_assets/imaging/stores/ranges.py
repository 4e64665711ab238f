"""Servers that know no ranges, such as `python -m http.server`: asked for a part, they send the whole body."""

from zarr.abc.store import ByteRequest, OffsetByteRequest, RangeByteRequest, SuffixByteRequest


class RangeIgnoredError(Exception):
    """A server sent all of `body` where a part of it was asked for."""

    def __init__(self, body: bytes) -> None:
        """Keep the body: the part is in it."""
        super().__init__("the server sends whole bodies")
        self.body = body


def cut_part(body: bytes, wanted: ByteRequest) -> bytes:
    """Cut the part that was asked for out of a whole body."""
    match wanted:
        case RangeByteRequest(start, end):
            return body[start:end]
        case OffsetByteRequest(offset):
            return body[offset:]
        case SuffixByteRequest(suffix):
            return body[max(0, len(body) - suffix) :]
