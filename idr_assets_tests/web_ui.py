"""The web UI of a project as processes of its own, and what its pages ask of it."""

import json
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import psutil

from idr_assets_tests.dagster_home import DagsterHome, wait_until


@contextmanager
def serving(home: DagsterHome, command: str) -> Iterator[str]:
    """Start `command`, to which a port is added, and give its address; Ctrl-C must end all of its processes."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = home.start(f"{command} --host 127.0.0.1 --port {port}")
    wait_until(lambda: listens(port) or server.poll() is not None)
    assert server.poll() is None, home.output.read_text()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.send_signal(signal.SIGINT)
        assert server.wait(60) == 0
        assert psutil.wait_procs(home.processes, timeout=30)[1] == []


def ask(ui: str, query: str, **variables: Any) -> dict[str, Any]:  # noqa: ANN401  any JSON
    """Ask the UI's GraphQL as its pages do; an answer with errors raises `AssertionError`."""
    body = json.dumps({"query": query, "variables": variables}).encode()
    request = Request(f"{ui}/graphql", body, {"Content-Type": "application/json"})  # noqa: S310
    try:
        with urlopen(request) as answer:  # noqa: S310
            found: dict[str, Any] = json.load(answer)
    except HTTPError as error:
        found = json.load(error)
    assert not found.get("errors"), found
    data: dict[str, Any] = found["data"]
    return data


def listens(port: int) -> bool:
    """Tell whether something listens at a port of this machine."""
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0
