"""A web server in a thread of its own, for as long as a context lasts."""

import asyncio
import socket
import ssl
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

from aiohttp import web
from anyio.from_thread import start_blocking_portal

type Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@contextmanager
def serve(answer: Answer, host: str, port: int, *, ssl_context: ssl.SSLContext | None) -> Iterator[str]:
    """Answer GET and HEAD of any path; give the address."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with (
        socket.create_server((host, port), family=family) as listener,
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(_serve(answer, listener, ssl_context)),
    ):
        name = f"[{host}]" if family == socket.AF_INET6 else host
        yield f"{'https' if ssl_context else 'http'}://{name}:{listener.getsockname()[1]}"


@asynccontextmanager
async def _serve(answer: Answer, listener: socket.socket, ssl_context: ssl.SSLContext | None) -> AsyncIterator[None]:
    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    # The shutdown waits this long for answers that may hang.
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.05)
    await runner.setup()
    assert runner.server
    server = await asyncio.get_running_loop().create_server(runner.server, sock=listener, ssl=ssl_context)
    try:
        yield
    finally:
        server.close()
        await runner.cleanup()
        if sys.version_info >= (3, 13):
            server.abort_clients()  # aiohttp knows nothing of those in the middle of a TLS handshake
