"""What a server of tests counts of the requests to it."""

from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import web


class RequestCounts:
    """Requests since the last reset.

    `requests` holds the (method, path) of each, in order, `agents` the User-Agents that they name, `hosts` the hosts
    that they ask, of which a proxy is asked for several, and `peak_in_flight` the most requests that waited for their
    answer at one time.
    """

    def __init__(self) -> None:
        self._in_flight = 0
        self.reset()

    def reset(self) -> None:
        """Forget the requests and their peak so far; faults stay."""
        self.requests: list[tuple[str, str]] = []
        self.agents: set[str] = set()
        self.hosts: set[str] = set()
        self.peak_in_flight = self._in_flight

    @contextmanager
    def counted(self, request: web.Request) -> Iterator[None]:
        """Count a request that is answered in this context."""
        self._in_flight += 1
        self.peak_in_flight = max(self.peak_in_flight, self._in_flight)
        self.requests.append((request.method, request.path))
        self.hosts.add(request.host)
        self.agents.add(request.headers.get("User-Agent", ""))
        try:
            yield
        finally:
            self._in_flight -= 1
