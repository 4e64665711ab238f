"""Files that living processes hold locked: the kernel releases a lock when its process ends, for whatever reason.

Process IDs would prove less: they are reused, and the processes of another container are invisible.
"""

import fcntl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from pathlib import Path
from socket import gethostname

MACHINE, KERNEL = Path("/etc/machine-id"), Path("/proc/sys/kernel/random/boot_id")
"""Files with a permanent name of this machine, and with a name of its kernel until the next boot."""


@contextmanager
def hold(path: Path, text: str) -> Iterator[int]:
    """Write `text` into a file and hold the file locked.

    Yields the file descriptor, so that a child process can hold the file too.

    Raises
    ------
    BlockingIOError
        Another process holds the file.
    OSError
        The folder is not writable, or its file system has no locks.

    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        file.truncate(0)
        file.write(text)
        file.flush()
        yield file.fileno()


@contextmanager
def wait_for(path: Path) -> Iterator[None]:
    """Hold a file locked, after others have released it.

    Waits for nothing if the folder is not writable, or its file system has no locks.
    """
    with ExitStack() as stack:
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            fcntl.flock(stack.enter_context(path.open("a")), fcntl.LOCK_EX)
        yield


@cache
def here() -> str:
    """Name this machine and its kernel, in two lines; the first is empty if the machine has no permanent name."""
    machine, kernel = (path.read_text().strip() if path.exists() else "" for path in (MACHINE, KERNEL))
    return "\n".join([machine and f"{machine} {gethostname()}", kernel])


def has_died(path: Path) -> bool:
    """Return whether the process that held a file with the text `here()` is gone.

    Nothing is known about processes on other machines: they count as living.
    """
    try:
        with path.open() as file:
            return _is_free(path, file.fileno(), file.read())
    except OSError:  # the process ended normally meanwhile, or still holds the lock
        return False


def _is_free(path: Path, file: int, text: str) -> bool:
    if text != here():
        machine = here().partition("\n")[0]
        return bool(machine) and text.partition("\n")[0] == machine  # the machine was started again since
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return path.exists()  # a process that ends normally removes the file first
