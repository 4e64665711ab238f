"""End what keeps a database of events away, a while after a run has noticed it."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from idr_assets.orchestration.event_log import outage


class _Then(logging.Handler):
    def __init__(self, seconds: float, end: Callable[[], object]) -> None:
        super().__init__()
        self.seconds, self.end = seconds, end

    def emit(self, record: logging.LogRecord) -> None:  # noqa: ARG002
        threading.Timer(self.seconds, self.end).start()


@contextmanager
def when_away(end: Callable[[], object], seconds: float = 0.5) -> Iterator[None]:
    """Call `end` so many seconds after this process has noticed that the database is away."""
    handler = _Then(seconds, end)
    outage.logger.addHandler(handler)
    try:
        yield
    finally:
        outage.logger.removeHandler(handler)
