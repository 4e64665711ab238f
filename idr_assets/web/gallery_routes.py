"""Where a web server has the gallery, with Dagster's pages or alone."""

from asyncio import Lock
from collections.abc import Callable, Sequence

import dagster as dg
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.responses import RedirectResponse
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from idr_assets.web.guard import GALLERY, Guard


def mount_gallery(module: str, instance: dg.DagsterInstance | None, viewers: Sequence[str], *, ui: bool) -> Mount:
    """Mount the gallery of the images of a module's definitions; see `gallery`."""

    def make() -> ASGIApp:
        from idr_assets.gallery.app import gallery  # noqa: PLC0415  a second, which the UI starts without
        from idr_assets.gallery.catalogue import Catalogue  # noqa: PLC0415  as above

        return gallery(Catalogue(module), instance, viewers, ui=ui)

    return Mount(GALLERY, _Later(make))


def serve_alone(module: str, instance: dg.DagsterInstance | None, viewers: Sequence[str]) -> Starlette:
    """Make the application of a server without Dagster's pages."""
    routes = [
        mount_gallery(module, instance, viewers, ui=False),
        Route("/", lambda _: RedirectResponse(f"{GALLERY}/")),
    ]
    return Starlette(routes=routes, middleware=[Middleware(Guard, viewers=viewers)])


class _Later:
    """An application that is made at its first request."""

    def __init__(self, make: Callable[[], ASGIApp]) -> None:
        self.make, self.lock = make, Lock()
        self.made: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self.lock:
            if self.made is None:
                self.made = await run_in_threadpool(self.make)
        await self.made(scope, receive, send)
