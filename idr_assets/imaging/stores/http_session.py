"""HTTP sessions: who asks, which redirects are followed, and that they are closed when the process ends.

fsspec closes the sessions of its synchronous filesystems only, and Zarr reads through asynchronous ones. What is
requested in a session stands elsewhere.
"""

import asyncio
import atexit
from importlib.metadata import version
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.store_text import show_address

if TYPE_CHECKING:
    import aiohttp

USER_AGENT = f"idr_assets/{version('idr_assets')}"
"""Tells a public store who reads it."""

PATIENCE = 1.0
"""Seconds that a session may take to close."""


async def http_session(*, headers: dict[str, str] | None = None, **arguments: Any) -> "aiohttp.ClientSession":  # noqa: ANN401  whatever aiohttp takes
    """Make a session as fsspec's `get_client` does; it is closed at exit, on the loop that it runs on."""
    import aiohttp  # noqa: PLC0415  it takes a quarter of a second, which images in a folder should not pay

    trace = aiohttp.TraceConfig()
    trace.on_request_redirect.append(_check_redirect)
    named = {"User-Agent": USER_AGENT} | (headers or {})
    session = aiohttp.ClientSession(headers=named, trace_configs=[trace], **arguments)
    atexit.register(_close, asyncio.get_running_loop(), session)
    return session


async def _check_redirect(
    _: "aiohttp.ClientSession", __: SimpleNamespace, redirect: "aiohttp.TraceRequestRedirectParams"
) -> None:
    """Refuse what leads elsewhere: the pixels would come from a place that the YAML does not name."""
    from yarl import URL  # noqa: PLC0415  a part of aiohttp

    headers, asked = redirect.response.headers, show_address(str(redirect.url))
    try:
        target = redirect.url.join(URL(headers.get("Location") or headers.get("URI") or ""))  # aiohttp follows both
    except ValueError:
        message = f"{asked} redirects to what is no address: nothing was read. Check the address."
        raise ImageError(message) from None
    place, wanted = ((url.scheme, url.host, url.port) for url in (target, redirect.url))
    if place == wanted or (place, wanted) == (("https", target.host, 443), ("http", target.host, 80)):
        return
    message = (
        f"{asked} redirects to {show_address(str(target))}, another host or port or a less safe scheme, which is not "
        "followed: nothing was read. If you trust it, write that address into the YAML."
    )
    raise ImageError(message)


def _close(loop: asyncio.AbstractEventLoop, session: "aiohttp.ClientSession") -> None:
    # Zarr stops its loop at exit too, but registered that earlier: the last that is registered runs first.
    if loop.is_running():
        asyncio.run_coroutine_threadsafe(session.close(), loop).result(PATIENCE)
