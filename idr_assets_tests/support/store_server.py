"""An HTTP server on loopback that serves stores as a public one does, and misbehaves on demand.

Here belong its answers and its faults. What a store holds is in `idr_stores`.
"""

import asyncio
import base64
import gzip
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import ExitStack
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Self

import numpy as np
from aiohttp import web

from idr_assets_tests.support.request_counts import RequestCounts
from idr_assets_tests.support.web_thread import serve

CONTENT_RANGE: Any = web.RequestKey("content_range", str) if hasattr(web, "RequestKey") else "content_range"
"""Which part the good answer to a request holds."""

type Fault = Callable[[web.Request, bytes], Awaitable[web.StreamResponse]]
"""Answers a request in place of the server, given the body of the good answer (empty where there is none)."""


class StoreServer(RequestCounts):
    """Serve the files below `root` at `url`, from a thread of its own, for as long as the context lasts.

    Answers GET, HEAD and Range with ETag, Last-Modified and Content-Length. A folder, and whatever lies outside `root`,
    is 404. Every answer waits `latency` seconds. With `ssl_context` the server speaks https; with `credentials`
    (user, password) it answers 401 to a request that lacks them as basic authentication, with `authorization` to one
    whose header of this name is another.

    `absent` answers for files that do not exist: `status(403)` as a bucket that lists nothing does, `html_page` as some
    web servers. Without `ranges` each answer is the whole file. Of a request that lacks `query` it says 403.

    `faults` maps a path or glob of paths to what is wrong with the answers, one item a request, where None is the good
    answer: `server.faults["*/4/0.0.0.0.0"] = [status(503), status(503)]`, and `itertools.repeat(hang)` for ever. After
    the last item the answers are good. The first entry that matches the path counts.
    """

    def __init__(  # noqa: PLR0913
        self,
        root: Path,
        latency: float = 0.0,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        ssl_context: ssl.SSLContext | None = None,
        credentials: tuple[str, str] | None = None,
        authorization: str | None = None,
        absent: Fault | None = None,
        ranges: bool = True,
        query: str = "",
    ) -> None:
        super().__init__()
        self.root = root.resolve()
        self.latency = latency
        self.faults: dict[str, Iterable[Fault | None]] = {}
        self.absent = absent
        self._ranges = ranges
        self._query = query
        self._place = (host, port)
        self._ssl_context = ssl_context
        self._authorization = _basic(*credentials) if credentials else authorization

    def __enter__(self) -> Self:
        self._running = ExitStack()
        self.url = self._running.enter_context(serve(self._answer, *self._place, ssl_context=self._ssl_context))
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        with self.counted(request):
            await asyncio.sleep(self.latency)
            if self._authorization and request.headers.get("Authorization") != self._authorization:
                raise web.HTTPUnauthorized(headers={"WWW-Authenticate": "Basic"})
            if request.rel_url.raw_query_string != self._query:
                raise web.HTTPForbidden
            file = (self.root / request.match_info["path"]).resolve()
            found = file.is_relative_to(self.root) and file.is_file()
            if fault := self._next_fault(request.path):
                body = file.read_bytes() if found else b""
                start, stop, _ = request.http_range.indices(len(body))
                request[CONTENT_RANGE] = f"bytes {start}-{stop - 1}/{len(body)}"
                return await fault(request, body[start:stop])
            if not found:
                return await self.absent(request, b"") if self.absent else web.Response(status=404)
            if not self._ranges:
                return web.Response(body=file.read_bytes())
            return web.FileResponse(file)

    def _next_fault(self, path: str) -> Fault | None:
        for pattern, faults in list(self.faults.items()):
            if fnmatchcase(path, pattern):
                self.faults[pattern] = remaining = iter(faults)
                return next(remaining, None)
        return None


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def status(code: int, headers: Mapping[str, str] | None = None) -> Fault:
    """Answer with a status and an empty body: `status(429, {"Retry-After": "1"})`."""

    async def fault(_request: web.Request, _body: bytes) -> web.StreamResponse:
        return web.Response(status=code, headers=headers)

    return fault


def redirect(base: str, code: int = 302, header: str = "Location") -> Fault:
    """Send the client to the same path below `base`: another server's url, `file://`, or "" for a loop."""

    async def fault(request: web.Request, _body: bytes) -> web.StreamResponse:
        return web.Response(status=code, headers={header: base + request.path})

    return fault


def changed(change: Callable[[bytes], bytes], content_type: str = "application/octet-stream") -> Fault:
    """Answer as if the file held `change(body)`, with headers that agree with it; a Range is changed by itself."""

    async def fault(request: web.Request, body: bytes) -> web.StreamResponse:
        answer = web.Response(body=change(body), content_type=content_type)
        if "Range" in request.headers:
            answer.set_status(206)
            answer.headers["Content-Range"] = request.get(CONTENT_RANGE, "bytes */0")
        return answer

    return fault


def replaced(body: bytes, content_type: str = "application/octet-stream") -> Fault:
    """Answer with another body, such as metadata that is wrong."""
    return changed(lambda _: body, content_type)


empty = replaced(b"")
html_page = replaced(b"<!DOCTYPE html><html><body>Down for maintenance</body></html>", "text/html")
random_bytes = changed(lambda body: np.random.default_rng(0).bytes(len(body)))
truncated = changed(lambda body: body[: len(body) // 2])
# The last byte of a blosc lz4 chunk is a literal: the chunk still decodes, to another pixel.
flipped_bit = changed(lambda body: body[:-1] + bytes(last ^ 1 for last in body[-1:]))


async def connection_reset(request: web.Request, _body: bytes) -> web.StreamResponse:
    """Reset the connection before any header."""
    if request.transport is not None:
        linger_zero = struct.pack("ii", 1, 0)
        request.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_zero)
        request.transport.abort()
    raise ConnectionResetError


async def garbled(request: web.Request, _body: bytes) -> web.StreamResponse:
    """Answer with bytes that are no HTTP."""
    if request.transport is not None:
        request.transport.write(b"\x00\x01\r\n\r\n")
        await asyncio.sleep(0.05)  # so that they arrive before the end of the connection, which is another fault
        request.transport.close()
    raise ConnectionResetError


async def hang(request: web.Request, _body: bytes) -> web.StreamResponse:
    """Never answer; ends with the client's patience or with the server."""
    while request.transport is not None:  # noqa: ASYNC110  aiohttp tells of a lost client in no other way
        await asyncio.sleep(0.05)
    raise ConnectionResetError


async def cut(request: web.Request, body: bytes) -> web.StreamResponse:
    """Announce the whole body, send half of it and close the connection."""
    response = web.StreamResponse(headers={"Content-Length": str(len(body))})
    response.force_close()
    await response.prepare(request)
    await response.write(body[: len(body) // 2])
    return response


async def endless(request: web.Request, _body: bytes) -> web.StreamResponse:
    """Send zeros until the client has enough."""
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(bytes(2**16))


def announced(length: int) -> Fault:
    """Send the good body after a `Content-Length` that says more."""

    async def fault(request: web.Request, body: bytes) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": str(length)})
        await response.prepare(request)
        await response.write(body)
        return response

    return fault


def encoded(length: int) -> Fault:
    """Answer with so many zeros, compressed for the way."""

    async def fault(_request: web.Request, _body: bytes) -> web.StreamResponse:
        return web.Response(body=gzip.compress(bytes(length), 1), headers={"Content-Encoding": "gzip"})

    return fault


async def other_part(request: web.Request, body: bytes) -> web.StreamResponse:
    """Answer a request for a part with as many bytes of the object's start, as a broken proxy does."""
    range_ = {"Content-Range": f"bytes 0-{len(body) - 1}/{request[CONTENT_RANGE].rpartition('/')[2]}"}
    return web.Response(status=206, body=body[::-1], headers=range_)


def drip(seconds: float) -> Fault:
    """Send the good body a byte at a time, `seconds` before each."""

    async def fault(request: web.Request, body: bytes) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": str(len(body))})
        await response.prepare(request)
        for byte in body:
            await asyncio.sleep(seconds)
            await response.write(bytes([byte]))
        return response

    return fault
