"""Dagster's web server behind the guard: `python -m idr_assets.web.server`, with the options of `dagster-webserver`."""

from collections.abc import Sequence
from typing import Any

import click
from dagster_webserver import app
from dagster_webserver.cli import dagster_webserver
from dagster_webserver.webserver import DagsterWebserver
from starlette.middleware import Middleware

from idr_assets.web.guard import Guard


class GuardedWebserver(DagsterWebserver[Any, Any]):
    """Dagster's web server, which answers only its own pages, at the names of loopback and at `hosts`."""

    hosts: Sequence[str] = ()

    def build_middleware(self) -> list[Middleware]:
        """Put the guard first."""
        guard = Middleware(Guard, hosts=self.hosts, prefix=self._app_path_prefix)
        return [guard, *super().build_middleware()]


@click.command(context_settings={"ignore_unknown_options": True, "allow_extra_args": True}, add_help_option=False)
@click.option("--allow-host", "hosts", multiple=True)
@click.pass_context
def main(context: click.Context, hosts: Sequence[str]) -> None:
    """Serve the UI, as `dagster-webserver` does with all other options."""
    GuardedWebserver.hosts = hosts
    app.DagsterWebserver = GuardedWebserver  # type: ignore[attr-defined]  # the command takes no class
    dagster_webserver.main(context.args)


if __name__ == "__main__":
    main()
