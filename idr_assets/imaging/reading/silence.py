"""Whether a store still answers: once it has been silent for one patience, all that waits for it fails at once.

Otherwise each plane of a run would wait for a store that is gone, one after the other. One plane that the store does
not send is no silence: a document that it sent before is asked for again, and that decides.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from http import HTTPStatus
from math import inf
from time import monotonic

from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.reading.faults import is_transient, read_faults, status_of
from idr_assets.imaging.store_text import show_address

logger = logging.getLogger(__name__)

MOST = 100
"""Openings that a process remembers."""


class SilentStoreError(ImageError):
    """A store was not asked, because it has been silent for one patience."""


class Silence:
    """How long a store has been silent in this process, since a level of it was opened.

    Parameters
    ----------
    ask : callable
        Asks for what the store has sent before.
    seconds : float
        How long a store may be silent while it is asked.
    timeout : float
        Longest time for one request, in seconds.

    """

    def __init__(self, ask: Callable[[], Awaitable[object]], seconds: float, timeout: float) -> None:
        """Begin in good faith."""
        self._ask, self._seconds, self._timeout = ask, seconds, timeout
        self._waiting: float | None = None  # since the first request after the last answer
        self._heard = -inf
        self._found: float | None = None  # when the store was found to be silent
        self._since = datetime.now(UTC)
        self._turn = asyncio.Lock()

    async def check(self, url: str) -> None:
        """Raise `SilentStoreError` where the store is silent; it is asked again once in each patience."""
        if self._found is not None and monotonic() - self._found > self._seconds:
            await self._find_out()
        if self._found is not None:
            message = (
                f"{show_address(url)} was not tried: its store has not answered since {self._since:%Y-%m-%d %H:%M:%S} "
                "UTC. Materialize again when it does."
            )
            raise SilentStoreError(message)
        if self._waiting is None:
            self._waiting, self._since = monotonic(), datetime.now(UTC)

    def hear(self) -> None:
        """Note an answer."""
        self._waiting, self._heard = None, monotonic()

    async def doubt(self, error: BaseException, began: float | None = None) -> None:
        """Find out whether the store is silent, if it has been for one patience, or since a request that is given up.

        Parameters
        ----------
        error : BaseException
            Why a request failed: the store is there if it is an answer, but for 5xx.
        began : float, optional
            When the request that is given up began.

        """
        if not is_transient(error) or (status_of(error) or HTTPStatus.BAD_GATEWAY) < HTTPStatus.INTERNAL_SERVER_ERROR:
            self.hear()
        async with self._turn:
            patience_is_over = monotonic() - self._seconds
            silent = self._heard < began if began is not None else (self._waiting or inf) <= patience_is_over
            if self._found is None and silent:
                await self._find_out()

    async def _find_out(self) -> None:
        with suppress(ImageError, TimeoutError, *read_faults()):
            async with asyncio.timeout(self._timeout):
                await self._ask()
            self._found = None
            self.hear()
            return
        if self._found is None:
            logger.error("A store has not answered since %s UTC: what waits for it fails now", self._since)
        self._found = monotonic()


_silences: dict[str, Silence] = {}


def silence_of(opening: str, ask: Callable[[], Awaitable[object]], seconds: float, timeout: float) -> Silence:
    """Give the one `Silence` of a process for an opening of a store, which goes to its workers with the level."""
    if opening not in _silences:
        while len(_silences) >= MOST:
            _silences.pop(next(iter(_silences)))
        _silences[opening] = Silence(ask, seconds, timeout)
    return _silences[opening]
