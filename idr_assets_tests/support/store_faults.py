"""What a store server does wrong on demand, an answer each."""

import asyncio
import gzip
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import numpy as np
from aiohttp import web

CONTENT_RANGE: Any = web.RequestKey("content_range", str) if hasattr(web, "RequestKey") else "content_range"
"""Which part the good answer to a request holds."""

type Fault = Callable[[web.Request, bytes], Awaitable[web.StreamResponse]]
"""Answers a request in place of the server, given the body of the good answer (empty where there is none)."""


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
