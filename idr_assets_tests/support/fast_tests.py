"""Which tests need this process alone: `make test-fast` runs them, and no other.

The mark `processes` is set by what a test's file imports, and by its fixtures. A test without it that starts a process
or a server all the same fails.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from types import ModuleType

import pytest

STARTING = {"aiohttp", "distributed", "moto", "multiprocessing", "playwright", "psutil", "socket", "subprocess"}
"""Packages whose users start processes and servers, in files of tests and in this room."""

NAMES = {"Segmented", "chromium", "enter_project", "fresh", "one_plane", "s3", "segmented"}
"""What test files import or ask for that does, or that runs assets on a dask cluster."""

REFUSED = {"os.fork", "os.posix_spawn", "os.system", "socket.bind", "subprocess.Popen"}
"""Python's names of what such tests do; processes that a server forks are asked for by a socket that has a path."""

_apart = False


def needs_processes(item: pytest.Item) -> bool:
    """Tell whether a test may start a process or a server."""
    module = sys.modules[item.obj.__module__] if isinstance(item, pytest.Function) else None
    return (
        module is None or _starts(module) or not NAMES.isdisjoint([*vars(module), *getattr(item, "fixturenames", ())])
    )


@contextmanager
def in_this_process_alone(*, alone: bool) -> Iterator[None]:
    """Raise `RuntimeError` in what starts a process or a server, if the test is to do without."""
    global _apart  # noqa: PLW0603  an audit hook stays for ever and is told by this
    _apart = alone
    try:
        yield
    finally:
        _apart = False


@cache
def _starts(module: ModuleType) -> bool:
    origins = {_origin(value) for value in vars(module).values()} - {module.__name__}
    ours = [sys.modules[name] for name in origins if name.startswith(f"{__package__}.")]
    return any(name.split(".")[0] in STARTING for name in origins) or any(map(_starts, ours))


def _origin(value: object) -> str:
    """Name the module that a module's value is, or comes from."""
    return value.__name__ if isinstance(value, ModuleType) else str(getattr(value, "__module__", ""))


def _refuse(event: str, arguments: tuple[object, ...]) -> None:
    if _apart and (event in REFUSED or (event == "socket.connect" and isinstance(arguments[1], str))):
        message = (
            f"{event}: this test is one of `make test-fast`, but starts a process or a server. Name what it does that "
            f"by in STARTING or NAMES of {__file__}, or write @pytest.mark.processes above the test."
        )
        raise RuntimeError(message)


sys.addaudithook(_refuse)
