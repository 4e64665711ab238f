"""An ASGI middleware that decides which requests reach Dagster's web server, which itself accepts all of them.

A page of another site in the user's browser can send requests too, and so can text that the UI shows, such as the
address of a picture. They differ from the requests of the UI's scripts in `Host`, `Origin`, `Sec-Fetch-Site`, method or
content type.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

GALLERY = "/gallery"
"""Where the gallery is. Below it, other sites may read files, if they are named."""

LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[^:\s]+)(:\d+)?", re.ASCII)
_SHOWN = 80


class Refusal(NamedTuple):
    """An HTTP status and the sentence that explains it."""

    status: int
    text: str


class Guard:
    """Pass requests of the UI's own pages on to `app`, and refuse others with a sentence in plain text.

    Parameters
    ----------
    app
        The server's application.
    hosts
        Names by which browsers reach the server, in addition to those of loopback.
    prefix
        Path prefix of `app`, such as `/dagster`.
    viewers
        Origins of other sites whose pages may read files of the gallery.

    """

    def __init__(  # noqa: D107  above
        self, app: ASGIApp, hosts: Iterable[str] = (), prefix: str = "", viewers: Iterable[str] = ()
    ) -> None:
        self.app = app
        self.hosts = LOOPBACK | {host.lower() for host in hosts}
        self.prefix = prefix
        self.viewers = {*viewers}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request or websocket."""
        refusal = None if scope["type"] == "lifespan" else self._refuse(HTTPConnection(scope))
        if refusal is None:
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": refusal.text})
        else:
            await PlainTextResponse(refusal.text, refusal.status)(scope, receive, send)

    def _refuse(self, asked: HTTPConnection) -> Refusal | None:
        if self._is_viewer(asked):
            return self._refuse_host(asked)
        found = self._refuse_host(asked) or _refuse_origin(asked) or _refuse_site(asked)
        if found or asked.scope["type"] == "websocket":
            return found
        return _refuse_method(asked.scope["method"], asked.headers.get("content-type", "")) or self._refuse_path(asked)

    def _is_viewer(self, asked: HTTPConnection) -> bool:
        origins = asked.headers.getlist("origin")
        named = len(origins) == 1 and origins[0] in self.viewers
        reads = asked.scope.get("method") in {"GET", "HEAD", "OPTIONS"}
        return named and reads and str(asked.scope["path"]).startswith(f"{self.prefix}{GALLERY}/data/")

    def _refuse_host(self, asked: HTTPConnection) -> Refusal | None:
        hosts = asked.headers.getlist("host")
        named = _HOST.fullmatch(hosts[0].lower()) if len(hosts) == 1 else None
        if named and named[1] in self.hosts:
            return None
        names = ", ".join(sorted(self.hosts))
        text = (
            f"Host {_show(', '.join(hosts))} is not a name of this server ({names}), so nothing was done: the request "
            "may come from a page of another site. Open the address that `idr-assets ui` printed. If browsers should "
            "reach the server by this name, start it with `--allow-host NAME`."
        )
        return Refusal(421, text)

    def _refuse_path(self, asked: HTTPConnection) -> Refusal | None:
        if asked.scope["method"] == "POST":
            return None
        path = asked.scope["path"].removeprefix(self.prefix)
        if path == "/graphql":
            text = "GraphQL by GET is refused, because pictures and links can do that. Send it by POST, as JSON."
            return Refusal(405, text)
        if path in {"/notebook", "/dagit/notebook"}:
            text = (
                f"{_show(path)} is closed, because it shows any notebook of this machine, and scripts in it could act "
                "as the UI. Open the file with Jupyter."
            )
            return Refusal(403, text)
        return None


def _refuse_origin(asked: HTTPConnection) -> Refusal | None:
    host = asked.headers["host"].lower()
    origins = asked.headers.getlist("origin")
    if all(origin.lower() in {f"http://{host}", f"https://{host}"} for origin in origins):
        return None
    text = (
        f"Origin {_show(', '.join(origins))} is not this server, {_show(host)}, so nothing was done. Use the UI's own "
        "pages, or no browser. A proxy must pass on the Host header unchanged, with its port."
    )
    return Refusal(403, text)


def _refuse_site(asked: HTTPConnection) -> Refusal | None:
    site = asked.headers.get("sec-fetch-site", "none")
    if site in {"same-origin", "none"} or _follows_link(asked):
        return None
    text = (
        f"A page of another site sent this request (Sec-Fetch-Site {_show(site)}), so nothing was done. "
        "Other pages may only link to the UI."
    )
    return Refusal(403, text)


def _follows_link(asked: HTTPConnection) -> bool:
    fetched = asked.headers.get("sec-fetch-mode"), asked.headers.get("sec-fetch-dest")
    return asked.scope.get("method") == "GET" and fetched == ("navigate", "document")


def _refuse_method(method: str, content_type: str) -> Refusal | None:
    if method not in {"GET", "HEAD", "POST"}:
        return Refusal(405, f"The method {_show(method)} is not allowed, so nothing was done. Use GET or POST.")
    if method != "POST" or content_type.partition(";")[0].strip().lower() == "application/json":
        return None
    text = (
        f"Content-Type {_show(content_type)} is not JSON, and forms of other pages can send it, so nothing was done. "
        "Send `Content-Type: application/json`."
    )
    return Refusal(415, text)


def _show(value: str) -> str:
    return ascii(value if len(value) <= _SHOWN else value[:_SHOWN] + "...")
