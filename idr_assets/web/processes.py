"""The processes of the UI: a code server, and a web server and a daemon that use it. They end together."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from signal import SIGINT
from tempfile import TemporaryDirectory
from time import sleep

from click import ClickException, echo

from idr_assets.project import DEFINITIONS

type Process = subprocess.Popen[bytes]

HOST = "127.0.0.1"
PROJECT = "idr_assets"
BIN = Path(sys.executable).parent
_PAUSE = 0.2
_PATIENCE = 30


def check_yaml() -> None:
    """Raise `ClickException` unless all YAML files of the project are valid; the errors are printed."""
    if subprocess.run([BIN / "dg", "check", "yaml"], check=False).returncode:
        message = "The UI was not started, because it could not show the project. Correct the YAML named above."
        raise ClickException(message)


def serve(module: str, port: int, web: Sequence[str], *, daemon: Sequence[int] | None) -> None:
    """Serve the definitions of `module` until the user interrupts.

    Parameters
    ----------
    module
        Name of the Python module with the definitions.
    port
        Port of the web server, on this machine.
    web
        Other options of `idr_assets.web.server`.
    daemon
        File descriptors that the daemon must hold open; None starts no daemon.

    Raises
    ------
    ClickException
        A process ended unexpectedly, or the web server answers without the guard; all were stopped.

    """
    with TemporaryDirectory(prefix="idr_assets_") as folder, ExitStack() as stack:
        socket, workspace = Path(folder) / "code", Path(folder) / "workspace.yaml"
        _write_workspace(workspace, socket, name_location(module))
        # The code server starts first and ends last, because the others use it.
        started = [stack.enter_context(_process("code server", *_code_server(module, socket)))]
        _watch(started, until=socket.exists)
        shared = ("--workspace", str(workspace))
        place = ("--host", HOST, "--port", str(port))
        server = (sys.executable, "-m", "idr_assets.web.server", "--definitions", module, *place, *web, *shared)
        started.append(stack.enter_context(_process("web server", *server)))
        if daemon is not None:
            command = (str(BIN / "dagster-daemon"), "run", *shared)
            started.append(stack.enter_context(_process("daemon", *command, held=daemon)))
        _watch(started, until=partial(is_guarded, port))
        for name, path in (("Gallery", "/gallery/"), ("Lineage", "/asset-groups")):
            echo(f"{name}: http://{HOST}:{port}{path}", err=True)
        _watch(started)


def is_guarded(port: int) -> bool:
    """Return False while no web server answers at a port of this machine, and True if one does that has the guard.

    Dagster's command takes no guard: it uses the class in one of its modules, which another version may not do.

    Raises
    ------
    ClickException
        The web server answers what the guard would refuse.

    """
    try:
        with closing(HTTPConnection(HOST, port, timeout=_PATIENCE)) as server:
            server.request("GET", "/graphql", headers={"Host": "another-site.invalid"})
            status = server.getresponse().status
    except (OSError, HTTPException):
        return False
    if status != HTTPStatus.MISDIRECTED_REQUEST:
        message = (
            f"The web server answered a request of another site with status {status}, so the UI was stopped: it runs "
            "without the guard, and any web page in your browser could use it. Install the version of "
            "dagster-webserver that idr_assets names, for example by `make .venv/.installed`."
        )
        raise ClickException(message)
    return True


def name_location(module: str) -> str:
    """Return the name of the code location of a module's definitions."""
    return PROJECT if module == DEFINITIONS else module  # as in workspace.yaml; Dagster names others by their module


def _code_server(module: str, socket: Path) -> list[str]:
    options = ["--module-name", module, "--location-name", name_location(module), "--socket", str(socket)]
    flags = ["--inject-env-vars-from-instance", "--use-python-environment-entry-point", "--log-level", "warning"]
    return [str(BIN / "dagster"), "code-server", "start", *options, *flags]


def _write_workspace(path: Path, socket: Path, location: str) -> None:
    server = {"socket": str(socket), "location_name": location}
    path.write_text(json.dumps({"load_from": [{"grpc_server": server}]}))


@contextmanager
def _process(name: str, *words: str, held: Sequence[int] = ()) -> Iterator[tuple[str, Process]]:
    process = subprocess.Popen(words, pass_fds=held)
    try:
        yield name, process
    finally:
        _end(process)


def _end(process: Process) -> None:
    process.send_signal(SIGINT)
    try:
        process.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()


def _watch(started: Sequence[tuple[str, Process]], until: Callable[[], bool] = lambda: False) -> None:
    while not until():
        for name, process in started:
            if (code := process.poll()) is not None:
                message = f"The {name} ended with code {code}, so the UI was stopped. See its output above."
                raise ClickException(message)
        sleep(_PAUSE)
