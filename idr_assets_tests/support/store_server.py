"""An HTTP server on loopback that serves stores as a public one does, and misbehaves on demand.

Its faults are in `store_faults`. What a store holds is in `idr_stores`.
"""

import asyncio
import base64
import ssl
from contextlib import ExitStack
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Self

from aiohttp import web

from idr_assets_tests.support.request_counts import RequestCounts
from idr_assets_tests.support.store_faults import CONTENT_RANGE, Fault
from idr_assets_tests.support.web_thread import serve

if TYPE_CHECKING:
    from collections.abc import Iterable


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
