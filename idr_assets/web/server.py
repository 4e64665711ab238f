"""Dagster's web server behind the guard: `python -m idr_assets.web.server`, with the options of `dagster-webserver`."""

from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import click
from dagster_webserver import app
from dagster_webserver.cli import dagster_webserver
from dagster_webserver.webserver import DagsterWebserver
from starlette.middleware import Middleware
from starlette.routing import BaseRoute

from idr_assets.web.gallery_routes import mount_gallery
from idr_assets.web.guard import Guard


class GuardedWebserver(DagsterWebserver[Any, Any]):
    """Dagster's web server with the gallery; answers only its own pages, at the names of loopback and at `hosts`."""

    hosts: Sequence[str] = ()
    viewers: Sequence[str] = ()
    module: str = ""

    def build_middleware(self) -> list[Middleware]:
        """Put the guard first."""
        guard = Middleware(Guard, hosts=self.hosts, prefix=self._app_path_prefix, viewers=self.viewers)
        return [guard, *super().build_middleware()]

    def build_routes(self) -> list[BaseRoute]:
        """Put the gallery before Dagster's routes, the last of which takes every path."""
        shown = mount_gallery(self.module, self._process_context.instance, self.viewers, ui=True)
        return [shown, *super().build_routes()]  # type: ignore[no-untyped-call]


@click.command(context_settings={"ignore_unknown_options": True, "allow_extra_args": True}, add_help_option=False)
@click.option("--allow-host", "hosts", multiple=True)
@click.option("--viewer", "viewers", multiple=True)
@click.option("--definitions")
@click.pass_context
def main(context: click.Context, hosts: Sequence[str], viewers: Sequence[str], definitions: str) -> None:
    """Serve the UI, as `dagster-webserver` does with all other options."""
    _check_guarded()
    GuardedWebserver.hosts, GuardedWebserver.viewers, GuardedWebserver.module = hosts, viewers, definitions
    app.DagsterWebserver = GuardedWebserver  # type: ignore[attr-defined]  # the command takes no class
    dagster_webserver.main(context.args)


def _check_guarded() -> None:
    """Raise `ClickException` unless Dagster's command makes its server of the class that the guard replaces."""
    made, built = app.create_app_from_workspace_process_context, getattr(DagsterWebserver, "create_asgi_app", None)
    names = {name for function in (made, built) for name in getattr(function, "__code__", made.__code__).co_names}
    if not {"DagsterWebserver", "create_asgi_app", "build_middleware"} <= names:
        message = (
            f"dagster-webserver {version('dagster-webserver')} works in another way than idr_assets knows, so the UI "
            "was not started: nothing would refuse requests of other web sites. Install the version in "
            "requirements.txt."
        )
        raise click.ClickException(message)


if __name__ == "__main__":
    main()
