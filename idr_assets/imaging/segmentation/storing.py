"""Which blocks a worker may store: none of a run that was stopped, since a later run may have made their planes."""

from collections import deque
from threading import Lock

from distributed import get_worker

_lock = Lock()
_stopped: deque[str] = deque(maxlen=1000)
_begun: deque[str] = deque(maxlen=1000)
"""Runs, and keys of tasks: the last ones, of which a worker may still be asked."""


class UnwantedError(Exception):
    """The run that sent a block was stopped before the block was stored, so that nothing of it is."""


def begin_storing() -> None:
    """Note that the task of this thread begins to store; raise `UnwantedError` if its run was stopped.

    Dask cannot stop a function that is at work.
    """
    try:
        worker = get_worker()
    except ValueError:  # not on a worker
        return
    key = str(worker.get_current_task())
    task = worker.state.tasks.get(key)
    with _lock:
        if (task and task.state == "cancelled") or key.rpartition("-")[0] in _stopped:
            raise UnwantedError
        _begun.append(key)


def stop_storing(run: str) -> list[str]:
    """Let no other task of a run begin to store, and return the keys of those that have begun; each worker calls it."""
    with _lock:
        _stopped.append(run)
        return [key for key in _begun if key.rpartition("-")[0] == run]
