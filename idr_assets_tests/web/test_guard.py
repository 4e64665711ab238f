"""The guard before an application that answers everything: what it lets through, and what it refuses in what words."""

from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
from click import ClickException
from starlette.types import Message, Receive, Scope, Send

from idr_assets.web.guard import Guard
from idr_assets.web.processes import is_guarded
from idr_assets_tests.support.asgi import send

VIEWER = "https://viewer.example"
JSON = {"content-type": "application/json"}
LINK = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}


async def answer(scope: Scope, _receive: Receive, reply: Send) -> None:
    if scope["type"] == "websocket":
        await reply({"type": "websocket.accept"})
    else:
        await reply({"type": "http.response.start", "status": 200, "headers": []})
        await reply({"type": "http.response.body", "body": b"answered"})


def ask(method: str, path: str, headers: dict[str, str], prefix: str = "", kind: str = "http") -> Sequence[Message]:
    return send(Guard(answer, ["Images.example.org"], prefix, [VIEWER]), method, path, headers, kind)


def text(sent: Sequence[Message]) -> str:
    body: bytes = sent[1]["body"]
    return body.decode()


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("GET", "/", {}),
        ("GET", "/", {"host": "localhost:4000"}),
        ("GET", "/", {"host": "[::1]:3000"}),
        ("GET", "/", {"host": "images.example.org"}),
        ("GET", "/main.js", {"sec-fetch-site": "same-origin"}),
        ("GET", "/runs", {"sec-fetch-site": "none"} | {"sec-fetch-mode": "navigate"}),
        ("GET", "/runs", LINK),
        ("GET", "/assets/demo/graphql?view=overview", {}),
        ("HEAD", "/runs", {}),
        ("POST", "/graphql", JSON),
        ("POST", "/graphql", {"content-type": "Application/JSON; charset=utf-8"}),
        ("POST", "/graphql", JSON | {"origin": "http://127.0.0.1:3000", "sec-fetch-site": "same-origin"}),
        ("POST", "/graphql", JSON | {"host": "images.example.org", "origin": "https://images.example.org"}),
        ("POST", "/report_asset_materialization/demo/montage", JSON),
        ("GET", "/gallery/data/demo.ome.zarr/zarr.json", {"origin": VIEWER, "sec-fetch-site": "cross-site"}),
        ("OPTIONS", "/gallery/data/demo.ome.zarr/zarr.json", {"origin": VIEWER}),
    ],
)
def test_what_is_answered(method: str, path: str, headers: dict[str, str]) -> None:
    assert text(ask(method, path, headers)) == "answered"


@pytest.mark.parametrize(
    ("status", "method", "path", "headers", "words"),
    [
        (421, "GET", "/", {"host": "evil.example:3000"}, "Host 'evil.example:3000' is not a name"),
        (421, "GET", "/", {"host": "127.0.0.1.evil.example"}, "--allow-host NAME"),
        (421, "GET", "/", {"host": "127.0.0.1@evil.example"}, "Host"),
        (421, "GET", "/", {"host": "127.0.0.1:80:80"}, "Host"),
        (421, "GET", "/", {"host": ""}, "Host ''"),
        (403, "GET", "/", {"origin": "null"}, "Origin 'null' is not this server"),
        (403, "GET", "/gallery/", {"origin": VIEWER}, "Origin 'https://viewer.example' is not this server"),
        (403, "POST", "/gallery/data/a", JSON | {"origin": VIEWER}, "Origin"),
        (403, "GET", "/gallery/data/a", {"origin": f"{VIEWER}.evil.example"}, "Origin"),
        (421, "GET", "/gallery/data/a", {"origin": VIEWER, "host": "evil.example"}, "Host"),
        (403, "POST", "/graphql", JSON | {"origin": "http://127.0.0.1:8000"}, "Origin 'http://127.0.0.1:8000'"),
        (403, "POST", "/graphql", JSON | {"origin": "ftp://127.0.0.1:3000"}, "Origin"),
        (403, "GET", "/logs/run/out", {"sec-fetch-site": "cross-site"}, "Sec-Fetch-Site 'cross-site'"),
        (403, "GET", "/main.js", {"sec-fetch-site": "same-site"}, "may only link to the UI"),
        (403, "GET", "/", LINK | {"sec-fetch-dest": "iframe"}, "another site"),
        (403, "POST", "/graphql", JSON | LINK, "another site"),
        (405, "GET", "/graphql?query=mutation{wipe}", {}, "by POST, as JSON"),
        (405, "GET", "/graphql", LINK | {"accept": "text/html"}, "by POST, as JSON"),
        (405, "HEAD", "/graphql", {}, ""),
        (405, "OPTIONS", "/graphql", {}, "'OPTIONS'"),
        (405, "PUT", "/graphql", JSON, "'PUT'"),
        (415, "POST", "/graphql", {}, "Content-Type ''"),
        (415, "POST", "/graphql", {"content-type": "text/plain; application/json"}, "is not JSON"),
        (415, "POST", "/graphql", {"content-type": "application/graphql"}, "is not JSON"),
        (415, "POST", "/report_asset_check/demo/montage?check_name=a", {}, "is not JSON"),
        (403, "GET", "/notebook?path=/data/evil.ipynb", {}, "Jupyter"),
        (403, "GET", "/dagit/notebook", {}, "Jupyter"),
    ],
)
def test_what_is_refused(status: int, method: str, path: str, headers: dict[str, str], words: str) -> None:
    sent = ask(method, path, headers)
    assert sent[0]["status"] == status
    assert (b"content-type", b"text/plain; charset=utf-8") in sent[0]["headers"]
    assert words in text(sent)


def test_a_prefix_hides_nothing() -> None:
    assert ask("GET", "/dagster/graphql?query=a", {}, prefix="/dagster")[0]["status"] == 405


def test_what_is_shown_is_short_and_printable() -> None:
    shown = text(ask("GET", "/", {"origin": "<b>\x7f\u202e" + 9000 * "x"}))
    assert shown.isprintable()
    assert shown.isascii()
    assert len(shown) < 400


@pytest.mark.parametrize("headers", [{"origin": "http://evil.example"}, {"host": "evil.example"}, {"origin": "null"}])
def test_websockets_of_other_sites_do_not_open(headers: dict[str, str]) -> None:
    assert [message["type"] for message in ask("", "/graphql", headers, kind="websocket")] == ["websocket.close"]


@pytest.mark.parametrize("headers", [{}, {"origin": "http://127.0.0.1:3000", "sec-fetch-site": "same-origin"}])
def test_websockets_of_its_own_pages_open(headers: dict[str, str]) -> None:
    assert [message["type"] for message in ask("", "/graphql", headers, kind="websocket")] == ["websocket.accept"]


class Unguarded(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_error(400)


@pytest.mark.processes
def test_a_web_server_without_the_guard_is_found() -> None:
    with HTTPServer(("127.0.0.1", 0), Unguarded) as server:
        Thread(target=server.handle_request, daemon=True).start()
        with pytest.raises(ClickException, match=r"with status 400, so the UI was stopped: it runs without the guard"):
            is_guarded(server.server_port)
    assert not is_guarded(server.server_port)  # nobody answers yet
