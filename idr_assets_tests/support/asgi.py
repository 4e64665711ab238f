"""One request to an application as a web server hands it on, without a server."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message

HOST = {"host": "127.0.0.1:3000"}


class Answer(NamedTuple):
    """What an application sends back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()


def send(app: ASGIApp, method: str, path: str, headers: Mapping[str, str], kind: str = "http") -> Sequence[Message]:
    """Send one request or websocket, and give the messages that the application answers with."""
    sent: list[Message] = []
    asked: list[Message] = [{"type": "http.request"}]

    async def collect(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        if asked:
            return asked.pop()
        await asyncio.Event().wait()  # whoever asks stays until the answer has ended
        return {}

    url = urlsplit(path)
    named = [(name.encode(), value.encode()) for name, value in (HOST | {**headers}).items()]
    scope = {"type": kind, "path": unquote(url.path), "query_string": url.query.encode(), "headers": named}
    scope |= {"scheme": "http", "server": ("127.0.0.1", 3000), "root_path": "", "client": ("127.0.0.1", 1)}

    async def call() -> None:
        await app(scope | {"method": method} if kind == "http" else scope, receive, collect)

    asyncio.run(call())
    return sent


def ask(app: ASGIApp, path: str, method: str = "GET", **headers: str) -> Answer:
    """Ask an application; underscores in the names of headers stand for hyphens."""
    start, *parts = send(app, method, path, {name.replace("_", "-"): value for name, value in headers.items()})
    return Answer(start["status"], Headers(raw=start["headers"]), b"".join(part.get("body", b"") for part in parts))
