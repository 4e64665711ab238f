"""The command `gallery`."""

import os
from collections.abc import Sequence
from contextlib import nullcontext

import click

from idr_assets.commands.options import import_from_here, module_option
from idr_assets.instance import open_instance
from idr_assets.project import find_module
from idr_assets.web.command import check_port, port_option, viewer_option
from idr_assets.web.processes import HOST


@click.command()
@port_option
@viewer_option
@module_option
def gallery(port: int, viewers: Sequence[str], module: str | None) -> None:
    """Serve pages of all images on this machine, without the Dagster UI.

    Shows pictures, counts, checks and planes, and changes nothing; Ctrl-C ends it. `idr-assets ui` serves them too.
    Without DAGSTER_HOME, pages do not say which planes are done.
    """
    check_port(port)
    import_from_here()
    import uvicorn  # noqa: PLC0415  a tenth of a second, for this command alone

    from idr_assets.web.gallery_routes import serve_alone  # noqa: PLC0415  as above

    with open_instance() if os.environ.get("DAGSTER_HOME") else nullcontext() as instance:
        app = serve_alone(module or find_module(), instance, viewers)
        click.echo(f"Gallery: http://{HOST}:{port}/gallery/", err=True)
        uvicorn.run(app, host=HOST, port=port, log_level="warning")
