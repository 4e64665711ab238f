"""The pages and files of the gallery as one application, which a web server puts behind the guard."""

from asyncio import Semaphore
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, Final, override

import dagster as dg
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from idr_assets.gallery.catalogue import Catalogue
from idr_assets.gallery.pages import Pages
from idr_assets.gallery.thumbnails import answer_thumbnail
from idr_assets.imaging.errors import ImageError

_AT_ONCE = 2  # thumbnails of all visitors: the rest of the server must go on
_POLICY = (
    "default-src 'none'; img-src 'self' data:; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_PAGE: Final = {"Content-Security-Policy": _POLICY, "Referrer-Policy": "same-origin", "Cache-Control": "no-store"}
_FILE: Final = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}  # asked for again, by its tag
_ALONE: Final = {"Content-Security-Policy": "sandbox allow-scripts"}  # pages among the files are no part of the server
_RANGES = ["Accept-Ranges", "Content-Length", "Content-Range", "ETag"]


def gallery(
    catalogue: Catalogue, instance: dg.DagsterInstance | None, viewers: Sequence[str], *, ui: bool
) -> Starlette:
    """Make the application, to be mounted below a server's address.

    Parameters
    ----------
    catalogue
        The images.
    instance
        Knows which planes are done, and what checks said; without one, pages leave that out.
    viewers
        Origins of web sites that may read files, such as `https://ome.github.io`.
    ui
        Whether the same server has Dagster's pages, to be linked to.

    """
    pages = Pages(catalogue, instance, ui=ui)
    shared = Middleware(CORSMiddleware, allow_origins=viewers, allow_headers=["Range"], expose_headers=_RANGES)
    routes = [
        Route("/", _page(pages.index)),
        Route("/image/{name}", _page(pages.image)),
        Route("/facts/{name}", _page(pages.facts)),
        Route("/plane/{name}/{number:int}/{t:int}/{c:int}/{z:int}.png", _thumbnails(catalogue)),
        Mount("/data", _Files(catalogue), middleware=[shared]),
        Mount("/static", StaticFiles(directory=Path(__file__).parent / "static")),
    ]
    return Starlette(routes=routes, exception_handlers=dict.fromkeys((ImageError, HTTPException), _explain(pages)))


class _Files(StaticFiles):
    """The files of the data folder, which is known when the definitions are loaded, and may come later than they."""

    def __init__(self, catalogue: Catalogue) -> None:
        super().__init__()
        self.catalogue = catalogue

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.all_directories = [await run_in_threadpool(self.catalogue.folder)]
        try:
            await super().__call__(scope, receive, send)
        except HTTPException as error:
            if "origin" not in Headers(scope=scope):
                raise  # to a person, who sees a page
            # A viewer reads here which planes are not stored; the page would lack what lets its site read.
            await PlainTextResponse(error.detail, error.status_code)(scope, receive, send)

    @override
    def file_response(self, *given: Any, **more: Any) -> Response:
        response = super().file_response(*given, **more)
        response.headers.update(_FILE | _ALONE)
        return response


def _page(render: Callable[[Request], str]) -> Callable[[Request], Response]:
    return lambda request: _answer(render(request))


def _answer(text: str, status: int = 200) -> Response:
    return Response(text, status, media_type="text/html", headers=_PAGE)


def _thumbnails(catalogue: Catalogue) -> Callable[[Request], Coroutine[Any, Any, Response]]:
    turns = Semaphore(_AT_ONCE)

    async def answer(request: Request) -> Response:
        def make() -> Response:  # in a thread too: the first question loads the definitions
            return answer_thumbnail(catalogue.find(request.path_params["name"]), request)

        async with turns:
            response = await run_in_threadpool(make)
        response.headers.update(_FILE)
        return response

    return answer


def _explain(pages: Pages) -> Callable[[Request, Exception], Response]:
    def answer(request: Request, error: Exception) -> Response:
        status, said = (error.status_code, error.detail) if isinstance(error, HTTPException) else (500, str(error))
        return _answer(pages.fault(request, status, said), status)

    return answer
