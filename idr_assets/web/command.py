"""The command `idr-assets ui`."""

import os
import signal
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from types import FrameType

import click
import dagster as dg

from idr_assets.instance import open_instance
from idr_assets.orchestration.dead_runs import fail_dead_runs
from idr_assets.project import find_module
from idr_assets.web.daemon import only_daemon
from idr_assets.web.processes import HOST, check_yaml, name_location, serve

port_option = click.option(
    "-p", "--port", default=3000, show_default=True, type=click.IntRange(1, 65535), help="Port on this machine."
)
viewer_option = click.option(
    "--viewer",
    "viewers",
    multiple=True,
    metavar="ORIGIN",
    default=["https://ome.github.io", "https://hms-dbmi.github.io"],
    show_default=True,
    help="Web site whose pages may read the files of the gallery, such as a viewer; given once or more, no other may.",
)


@click.command()
@port_option
@click.option("--read-only", is_flag=True, help="Show everything, start nothing, and run no daemon.")
@click.option("--without-daemon", is_flag=True, help="Use the daemon of another UI of this instance.")
@click.option(
    "--allow-host",
    "hosts",
    multiple=True,
    metavar="NAME",
    help="Also answer to this host name, for example of a proxy.",
)
@viewer_option
@click.option(
    "-m", "--module", help="Module with the definitions.  [default: that of the project around the working folder]"
)
def ui(  # noqa: PLR0913  the options above
    port: int,
    hosts: Sequence[str],
    viewers: Sequence[str],
    module: str | None,
    *,
    read_only: bool,
    without_daemon: bool,
) -> None:
    """Serve the Dagster UI, and a gallery of all images, on this machine.

    Ctrl-C ends it. Requests from other web sites are refused. Its daemon starts queued runs, and runs schedules and
    sensors; an instance can have only one daemon.
    """
    with open_instance() as instance, nullcontext() if read_only or without_daemon else _daemon(instance, port) as held:
        check_port(port)
        if module is None:
            check_yaml()
        module = module or find_module()
        if held is not None:
            from idr_assets.orchestration.event_log.run_places import place_runs  # noqa: PLC0415  SQLAlchemy

            place_runs(instance, module, name_location(module))
        allowed = [word for name in hosts for word in ("--allow-host", name)]
        allowed += [word for origin in viewers for word in ("--viewer", origin)]
        _serve(module, port, [*["--read-only"] * read_only, *allowed], held)


@contextmanager
def _daemon(instance: dg.DagsterInstance, port: int) -> Iterator[Sequence[int]]:
    with only_daemon(instance, f"http://{HOST}:{port}") as held:
        fail_dead_runs(instance)
        yield held


def _serve(module: str, port: int, options: Sequence[str], held: Sequence[int] | None) -> None:
    for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # in scripts, background processes ignore SIGINT
        signal.signal(ending, _interrupt)
    os.environ["DAGSTER_IS_DEV_CLI"] = "1"  # as `dagster dev` does
    try:
        serve(module, port, options, daemon=held)
    except KeyboardInterrupt:
        click.echo("The UI has ended.", err=True)


def check_port(port: int) -> None:
    """Raise `ClickException` if a port of this machine is in use."""
    try:
        socket.create_server((HOST, port)).close()
    except OSError as error:
        message = (
            f"Port {port} cannot be used ({error.strerror}), perhaps because another UI uses it. Choose another: "
            "--port 4000"
        )
        raise click.ClickException(message) from error


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, signal.SIG_IGN)  # once is enough, and the terminal may send it to all processes
    raise KeyboardInterrupt
