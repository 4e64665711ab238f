"""Read images over HTTP: who asks, the way to the server, and which redirects are followed."""

import asyncio
import atexit
from collections.abc import Mapping
from importlib.metadata import version
from math import inf
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import aiohttp
from fsspec.implementations.http import HTTPFileSystem
from yarl import URL

from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.store_text import show_address
from idr_assets.imaging.stores.answers import receive
from idr_assets.imaging.stores.proxies import find_proxy

USER_AGENT = f"idr_assets/{version('idr_assets')}"
"""Tells a public store who reads from it."""

PATIENCE = 1.0
"""Seconds that a session may take to close."""

SHORT = 2**16
"""Bytes of an error's page that are read."""

LEGAL = "%/?:@!$&'()*+,;=-._~"
"""Characters of a query that are sent as they are, beside letters and digits: a signature may depend on them."""


async def open_session(*, headers: dict[str, str] | None = None, **arguments: Any) -> aiohttp.ClientSession:  # noqa: ANN401  whatever aiohttp takes
    """Open a session like fsspec's `get_client`, and close it at exit, in its own event loop.

    fsspec closes the sessions of its synchronous filesystems only, and Zarr reads through asynchronous ones.
    """
    trace = aiohttp.TraceConfig()
    trace.on_request_redirect.append(_check_redirect)
    named = {"User-Agent": USER_AGENT, "Accept-Encoding": "gzip"} | (headers or {})
    session = aiohttp.ClientSession(headers=named, trace_configs=[trace], **arguments)
    atexit.register(_close, asyncio.get_running_loop(), session)
    return session


class HttpSource(HTTPFileSystem):  # type: ignore[misc]  # fsspec ships no types
    """The filesystem of fsspec; each request has the query of the image's address.

    Parameters
    ----------
    server : str
        Scheme, host and port: they decide about the proxy, in whichever process asks.
    query : str
        The query of the address, such as a token or a signature; '' for none.
    headers : mapping, optional
        HTTP headers of each request, such as a bearer token.
    **options
        Other arguments of fsspec's filesystem.

    """

    def __init__(
        self,
        *,
        server: str,
        query: str = "",
        headers: Mapping[str, Any] | None = None,
        **options: Any,  # noqa: ANN401  theirs
    ) -> None:
        """Make the filesystem. The environment names the proxy; ~/.netrc is not read."""
        named = {name: str(value).strip() for name, value in (headers or {}).items()}
        ours = {"get_client": open_session, "proxy": find_proxy(server)}
        super().__init__(headers=named, **ours | options)
        self.query = quote(query, safe=LEGAL)

    def encode_url(self, url: str) -> URL:
        """Return the address of a request."""
        address = URL(url, encoded=self.encoded)
        return URL(f"{address}?{self.query}", encoded=True) if self.query else address

    async def _cat_file(self, url: str, start: int | None = None, end: int | None = None, **options: Any) -> bytes:  # noqa: ANN401
        asked = self.kwargs | options | {"auto_decompress": False}
        part = await self._process_limits(url, start, end) if start is not None or end is not None else None
        if part:
            asked["headers"] = asked["headers"] | {"Range": part}
        session = await self.set_session()
        async with session.get(self.encode_url(url), **asked) as answer:
            if not answer.ok and (answer.content_length or inf) <= SHORT:
                await answer.read()  # so that the connection is used again
            self._raise_not_found_for_status(answer, url)
            return await receive(answer.content.read, answer.status, answer.headers, part)


async def _check_redirect(
    _: aiohttp.ClientSession, __: SimpleNamespace, redirect: aiohttp.TraceRequestRedirectParams
) -> None:
    """Refuse redirects to other places: the pixels would come from a place that the YAML does not name."""
    headers, asked = redirect.response.headers, show_address(str(redirect.url))
    try:
        target = redirect.url.join(URL(headers.get("Location") or headers.get("URI") or ""))  # aiohttp follows both
    except ValueError:
        message = f"{asked} redirects to something that is not an address: nothing was read. Check the address."
        raise ImageError(message) from None
    place, wanted = ((url.scheme, url.host, url.port) for url in (target, redirect.url))
    if place == wanted or (place, wanted) == (("https", target.host, 443), ("http", target.host, 80)):
        return
    message = (
        f"{asked} redirects to {show_address(str(target))}, another host or port or a less safe scheme, which is not "
        "followed: nothing was read. If you trust it, write that address into the YAML."
    )
    raise ImageError(message)


def _close(loop: asyncio.AbstractEventLoop, session: aiohttp.ClientSession) -> None:
    # Zarr stops its loop at exit too, but later: what is registered last runs first.
    if loop.is_running():
        asyncio.run_coroutine_threadsafe(session.close(), loop).result(PATIENCE)
