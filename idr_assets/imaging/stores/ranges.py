"""Parts of bodies, and servers that do not support them, such as `python -m http.server`: they send the whole body."""

from zarr.abc.store import ByteRequest, OffsetByteRequest, RangeByteRequest, SuffixByteRequest


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
