"""Receive what a store answers: no more bytes than its asker expects, and what the headers say about them."""

import hashlib
import zlib
from codecs import BOM_UTF8
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from http import HTTPStatus

from idr_assets.imaging.errors import CorruptBodyError, PageError
from idr_assets.imaging.store_text import cite
from idr_assets.imaging.stores.inflating import TooMuchError, inflate_stream
from idr_assets.imaging.stores.ranges import RangeIgnoredError, part_length, wrong_part

PIECE = 2**20

ENCODINGS = {"gzip": "gzip", "x-gzip": "gzip", "deflate": "zlib"}
"""What decodes the encodings of answers; gzip alone is asked for."""

PAGES = {
    **dict.fromkeys((b"<!doctype html", b"<html", b"<head", b"<body", b"<!--"), "an HTML"),
    **dict.fromkeys((b"<?xml", b"<error>"), "an XML"),
}
"""How pages begin, and what they are."""

MOST_OF_A_DOCUMENT = 64 * 2**20


class TooLongError(CorruptBodyError):
    """A store sends more bytes than it can hold of what was asked for."""


@dataclass
class Answer:
    """What a request may get, and what it got.

    Attributes
    ----------
    most : int
        Most bytes of the whole object, as it is stored and as it is sent.
    headers : mapping of str to str
        The headers of the answer.
    sent : bytes
        The body as it was sent.
    pieces : list of bytes
        What came last, of a part or of too long a body too.

    """

    most: int = MOST_OF_A_DOCUMENT
    headers: Mapping[str, str] = field(default_factory=dict)
    sent: bytes = b""
    pieces: list[bytes] = field(default_factory=list)

    def digest(self) -> str:
        """Return what tells what came, as far as it was expected, from other bytes."""
        return hashlib.sha256(b"".join(self.pieces)[: self.most]).hexdigest()


_answer: ContextVar[Answer | None] = ContextVar("answer", default=None)
"""Of the request that is being made: Zarr's stores pass bytes alone."""


@contextmanager
def expect(most: int) -> Iterator[Answer]:
    """Expect at most so many bytes of each object that is asked for within; yield what is answered."""
    token = _answer.set(answer := Answer(most))
    try:
        yield answer
    finally:
        _answer.reset(token)


async def receive(
    read: Callable[[int], Awaitable[bytes]], status: int, headers: Mapping[str, str], part: str | None
) -> bytes:
    """Receive the body of an answer, by a function that reads up to so many bytes of it.

    Parameters
    ----------
    read, status, headers
        Of the answer; names of headers in any case, or in lower case.
    part : str, optional
        The `Range` that was requested.

    Raises
    ------
    RangeIgnoredError
        Where it is the whole object and not the part.
    CorruptBodyError
        Where it is another part, or has more bytes than were expected; no more are read.

    """
    answer = _answer.get() or Answer()
    answer.headers = headers
    if part and status == HTTPStatus.PARTIAL_CONTENT:
        body = await _read(read, answer, part_length(part, answer.most))
        if wrong := wrong_part(part, headers):
            check_page(body)
            raise CorruptBodyError(wrong)
        return body
    answer.sent = await _read(read, answer, answer.most)
    body = _decode(answer.sent, headers, answer.most)
    if part:
        raise RangeIgnoredError(body)
    return body


async def _read(read: Callable[[int], Awaitable[bytes]], answer: Answer, most: int) -> bytes:
    announced = answer.headers.get("content-length", "")
    size = int(announced) if announced.isdecimal() else 0
    answer.pieces = pieces = []
    received = 0
    while piece := await read(PIECE):
        pieces.append(piece)
        received += len(piece)
        if max(size, received) > most:
            check_page(pieces[0])
            if size:
                pieces.clear()
            message = f"it has {size or 'more'} bytes, at most {most} were expected"
            raise TooLongError(message)
    return b"".join(pieces)


def _decode(body: bytes, headers: Mapping[str, str], most: int) -> bytes:
    """Decode a body that was encoded for the way; `CorruptBodyError` where that fails, or it holds too much."""
    encoding = headers.get("content-encoding", "").lower()
    if encoding not in ENCODINGS:
        return body
    try:
        return inflate_stream({"id": ENCODINGS[encoding]}, body, most)
    except TooMuchError as error:
        raise TooLongError(str(error)) from None
    except (EOFError, zlib.error) as error:
        message = f"its encoding {encoding} cannot be decoded ({cite(error)})"
        raise CorruptBodyError(message) from None


def check_page(body: bytes) -> None:
    """Raise `PageError` where a body is a page, which servers send in place of files that they do not have."""
    start = body[:200].removeprefix(BOM_UTF8).lstrip().lower()
    found = next((kind for begin, kind in PAGES.items() if start.startswith(begin)), None)
    if found:
        message = f"it is {found} page"
        raise PageError(message)
