"""How a store is asked: politely, and again and again while its faults are such that pass.

Which faults pass, tells `faults`; what is asked for, `chunk_store`.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cache, partial
from random import SystemRandom
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt, stop_before_delay

from idr_assets.imaging.reading.faults import is_transient, read_error, read_faults, retry_after
from idr_assets.imaging.store_text import show_address

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Patience:
    """How a store is read: politely, and for how long it may stutter.

    `requests` in flight at once to a host in a process; `timeout` of one request, `seconds` and `tries` for one key.
    The first wait between tries is at most `wait` seconds long, and each later one at most twice as long as the one
    before.
    """

    requests: int = 16
    timeout: float = 60.0
    seconds: float = 300.0
    tries: int = 10
    wait: float = 0.5


PATIENT = Patience()
"""Enough for a public store that stutters for a minute or two."""

JITTER = SystemRandom()
"""Apart from the generator of the process: a segmentation that seeds that one gets the same labels after retries."""


async def patiently[T](url: str, patience: Patience, ask: Callable[[], Awaitable[T]]) -> T:
    """Ask a store for what is at `url`, again and again while the fault is one that passes.

    Raises `ImageError` where it cannot be read.
    """
    retrying = AsyncRetrying(before_sleep=partial(_log, url), **rules(patience))
    try:
        async for attempt in retrying:
            with attempt:
                queued = monotonic()
                async with _slots(urlsplit(url).netloc, patience.requests), asyncio.timeout(patience.timeout):
                    attempt.retry_state.start_time += monotonic() - queued  # the store does not fail meanwhile
                    return await ask()
    except read_faults() as error:
        failure = read_error(error, url, retrying.statistics["attempt_number"])
    # Out of the handler, or the client's error would go along with it, and on the way from a worker no pickle takes it.
    raise failure


def rules(patience: Patience) -> dict[str, Any]:
    """Say for tenacity what is tried again, how often and after which wait."""
    stop = stop_after_attempt(patience.tries) | stop_before_delay(patience.seconds)
    return {"retry": retry_if_exception(is_transient), "stop": stop, "wait": partial(_wait, patience), "reraise": True}


@cache
def _slots(host: str, requests: int) -> asyncio.Semaphore:  # noqa: ARG001  a semaphore for each host
    """Bound the requests in flight to a host, for all images that want the same bound.

    All that a process asks, it asks in one event loop, which is Zarr's.
    """
    return asyncio.Semaphore(requests)


def _wait(patience: Patience, state: RetryCallState) -> float:
    """Seconds to the next try: longer each time and at random, so that readers do not come back together.

    What the server asks for comes first.
    """
    asked = retry_after(state.outcome.exception() if state.outcome else None)
    return asked + JITTER.uniform(0, min(30, patience.wait * 2 ** (state.attempt_number - 1)))


def _log(url: str, state: RetryCallState) -> None:
    error = state.outcome and state.outcome.exception()
    logger.warning("%s: %s, try %d", show_address(url), type(error).__name__, state.attempt_number)
