"""The project's commands as real processes, on a Dagster instance of a test's own.

Here belong the processes, their environment and what they leave behind. What a command is to do stands in the tests.
"""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from time import monotonic, sleep

import dagster as dg
import psutil

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent

LONGEST = 240.0
"""Seconds that a command may take on a machine with much else to do."""

SITECUSTOMIZE = """
import atexit, functools, gc, os, signal, socket, sys
from importlib import metadata
HERE = {"127.0.0.1", "::1", "localhost", socket.gethostname(), "", None}

def refuse_network(event, arguments):
    if event == "socket.getaddrinfo":
        host = arguments[0]
    elif event == "socket.connect" and isinstance(arguments[1], tuple) and arguments[0].type == socket.SOCK_STREAM:
        host = arguments[1][0]
    else:
        return
    if (host.decode() if isinstance(host, bytes) else host) not in HERE:
        with open(os.environ["REFUSED"], "a") as refused:
            print(event, host, *sys.argv, file=refused)
        raise OSError(f"no network in this test: {host}")

sys.addaudithook(refuse_network)
atexit.register(gc.freeze)  # as a run does, for all that start here: a quarter of their time
gc.set_threshold(50_000)  # most of what a start makes stays: looking for garbage in it is a tenth of its time
every = functools.cache(metadata.entry_points)  # ten packages ask for theirs, and each time all files are read
metadata.entry_points = lambda **wanted: every().select(**wanted)
signal.signal(signal.SIGINT, signal.default_int_handler)  # tests that run in the background hand it down as ignored

if any(word.endswith("dagster-daemon") for word in sys.orig_argv):  # what waits for it waits half a minute otherwise
    from dagster._daemon import asset_daemon, controller
    controller.DEFAULT_DAEMON_INTERVAL_SECONDS = 3
    asset_daemon.is_under_min_interval = lambda *_, **__: False
"""
"""What each Python process runs first: no network, in place of `unshare -n`, which a container may forbid, and no long
waits of the daemon."""


class DagsterHome:
    """A Dagster instance with the project's settings and, beside it, IDR_ASSETS_DATA; all below the folder `path`.

    Processes started here run in the folder of a `project`, by default this one. They see a clean environment and of
    the network only this machine.
    """

    def __init__(self, path: Path, project: Path = ROOT) -> None:
        self.path = path
        self.project = project
        self.data = path / "data"
        self.output = path / "output.txt"
        shutil.copy(ROOT / ".dagster_home/dagster.yaml", path)
        (path / "python").mkdir()
        (path / "python/sitecustomize.py").write_text(SITECUSTOMIZE)
        (path / "refused.txt").touch()

    @cached_property
    def instance(self) -> dg.DagsterInstance:
        """Open the instance once, to ask what was run and materialized."""
        return dg.DagsterInstance.from_config(str(self.path))

    @property
    def refused(self) -> list[str]:
        """List the attempts of processes to reach another machine."""
        return (self.path / "refused.txt").read_text().splitlines()

    @property
    def processes(self) -> list[psutil.Process]:
        """List the processes that live, also those whose parent has ended."""
        named = psutil.process_iter(["environ"])
        return [it for it in named if (it.info["environ"] or {}).get("DAGSTER_HOME") == str(self.path)]

    @property
    def run_processes(self) -> list[str]:
        """List the commands of the processes of runs, of their dask workers, and of what collects their output."""
        commands = [" ".join(process.cmdline()) for process in self.processes]
        return [command for command in commands if "spawn_main" in command or command.startswith("tail ")]

    @property
    def listeners(self) -> set[str]:
        """Give the addresses at which the processes listen."""
        return {address for process in self.processes for address in _listeners(process)}

    def start(self, command: str) -> subprocess.Popen[bytes]:
        """Start a command in the project folder, the virtual environment activated; it prints to `output`."""
        words = shlex.split(command)
        with self.output.open("w") as output:
            return subprocess.Popen(words, cwd=self.project, env=self._environment(), stdout=output, stderr=output)  # noqa: S603

    def run(self, command: str) -> tuple[int, str]:
        """Run a command to its end; give its exit code and what it printed."""
        code = self.start(command).wait(LONGEST)
        return code, self.output.read_text()

    def _environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("HOME", "LANG", "TMPDIR") if name in os.environ}
        ours = {"DAGSTER_HOME": self.path, "IDR_ASSETS_DATA": self.data, "PATH": f"{BIN}:{os.environ['PATH']}"}
        offline = {"PYTHONPATH": f"{self.path / 'python'}:{self.project}", "REFUSED": self.path / "refused.txt"}
        return kept | {name: str(value) for name, value in (ours | offline).items()}


@contextmanager
def project_instance(folder: Path) -> Iterator[dg.DagsterInstance]:
    """Open an instance with the project's settings in a folder, for this process."""
    folder.mkdir(exist_ok=True)
    shutil.copy(ROOT / ".dagster_home/dagster.yaml", folder)
    with dg.DagsterInstance.from_config(str(folder)) as instance:
        yield instance


@contextmanager
def dagster_home(path: Path, project: Path = ROOT) -> Iterator[DagsterHome]:
    """Give an instance in the empty folder `path`; in the end, what still runs is killed."""
    home = DagsterHome(path, project)
    try:
        yield home
    finally:
        for process in home.processes:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        if "instance" in vars(home):
            home.instance.dispose()


def wait_until(condition: Callable[[], object], seconds: float = LONGEST) -> None:
    """Ask ever more rarely until `condition` gives something true; `TimeoutError` when it never does."""
    end, pause = monotonic() + seconds, 0.1
    while not condition():
        if monotonic() > end:
            message = f"{condition} did not become true within {seconds} s"
            raise TimeoutError(message)
        sleep(pause)
        pause = min(1.0, 1.5 * pause)  # what is asked is often a database, which takes time from what is waited for


def _listeners(process: psutil.Process) -> list[str]:
    try:
        connections = process.net_connections("inet")
    except psutil.NoSuchProcess:
        return []
    return [connection.laddr.ip for connection in connections if connection.status == psutil.CONN_LISTEN]
