"""Files that living processes hold locked: the kernel releases a lock when its process ends, however that ends.

A process ID proves less. It is used again, and the processes of another container are invisible from here.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from socket import gethostname

MACHINE, KERNEL = Path("/etc/machine-id"), Path("/proc/sys/kernel/random/boot_id")
"""What names this machine for good, and until it is started again; containers of a machine share its kernel."""


@contextmanager
def hold(path: Path, text: str) -> Iterator[int]:
    """Write `text` into a file and hold the file locked; give the descriptor, for a child process to hold it too.

    Raises
    ------
    BlockingIOError
        Another process holds the file.
    OSError
        The folder cannot be written, or its file system has no locks.

    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        file.truncate(0)
        file.write(text)
        file.flush()
        yield file.fileno()


@cache
def here() -> str:
    """Name this machine and its kernel, in two lines; the first is empty where nothing names the machine for good."""
    machine, kernel = (path.read_text().strip() if path.exists() else "" for path in (MACHINE, KERNEL))
    return "\n".join([machine and f"{machine} {gethostname()}", kernel])


def has_died(path: Path) -> bool:
    """Tell whether the process is gone that held a file with the text `here()`.

    Of processes on other machines, nothing can be told: they count as living.
    """
    try:
        with path.open() as file:
            return _has_died(path, file.fileno(), file.read())
    except OSError:  # it ended by itself meanwhile, or is still locked
        return False


def _has_died(path: Path, file: int, text: str) -> bool:
    if text != here():
        machine = here().partition("\n")[0]
        return bool(machine) and text.partition("\n")[0] == machine  # it was started again since
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return path.exists()  # who ends by itself takes the file away first
