"""HTTP sessions that are closed when the process ends.

fsspec closes the sessions of its synchronous filesystems only, and Zarr reads through asynchronous ones. What is
requested in a session stands elsewhere.
"""

import asyncio
import atexit
from typing import Any

from aiohttp import ClientSession

PATIENCE = 1.0
"""Seconds that a session may take to close."""


async def http_session(**arguments: Any) -> ClientSession:  # noqa: ANN401  whatever aiohttp takes
    """Make a session as fsspec's `get_client` does; it is closed at exit, on the loop that it runs on."""
    session = ClientSession(**arguments)
    atexit.register(_close, asyncio.get_running_loop(), session)
    return session


def _close(loop: asyncio.AbstractEventLoop, session: ClientSession) -> None:
    # Zarr stops its loop at exit too, but registered that earlier: the last that is registered runs first.
    if loop.is_running():
        asyncio.run_coroutine_threadsafe(session.close(), loop).result(PATIENCE)
