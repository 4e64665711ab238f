"""Ask a store with bounds on requests and time, and ask again while its faults may pass.

`faults` says which faults may pass, `chunk_store` what is asked for.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import cache, partial
from random import SystemRandom
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, StrictFloat, StrictInt
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt, stop_before_delay

from idr_assets.imaging.reading.faults import (
    final_answer,
    is_transient,
    may_be_absence,
    read_error,
    read_faults,
    retry_after,
)
from idr_assets.imaging.reading.silence import Silence
from idr_assets.imaging.store_text import show_address

logger = logging.getLogger(__name__)


class Patience(BaseModel):
    """How many requests go to a store at once, and how often and how long a chunk is tried."""

    model_config = ConfigDict(frozen=True)

    requests: StrictInt = Field(default=16, gt=0, description="Requests to one host at the same time, in each process.")
    timeout: StrictFloat = Field(default=60.0, gt=0, description="Longest time for one request, in seconds.")
    tries: StrictInt = Field(default=10, gt=0, description="Attempts to read one chunk before it fails.")
    seconds: StrictFloat = Field(
        default=300.0, gt=0, description="Longest time for all attempts to read one chunk, in seconds."
    )
    wait: StrictFloat = Field(
        default=0.5,
        gt=0,
        description="Longest pause before the second attempt, in seconds; it doubles for each later one, up to 30.",
    )


PATIENT = Patience()
"""Enough for a public store that fails for a minute or two."""

SLOW = 30
"""Seconds after which the log says that a request has no answer yet."""

JITTER = SystemRandom()
"""Not the generator of the process: a segmentation that seeds that one gets the same labels after retries."""


async def ask_patiently[T](
    url: str, patience: Patience, ask: Callable[[], Awaitable[T]], silence: Silence | None = None
) -> T:
    """Ask a store for what is at `url`, and ask again while the fault may pass, and the store is not silent.

    Raises
    ------
    ImageError
        If it cannot be read.

    """
    retrying = AsyncRetrying(before_sleep=partial(_log, url), **retry_arguments(patience))
    began = monotonic()
    try:
        async for attempt in retrying:
            with attempt:
                queued = monotonic()
                async with _slots(urlsplit(url).netloc, patience.requests):
                    waited = monotonic() - queued
                    attempt.retry_state.start_time += waited  # waiting for a slot is not a failure of the store
                    began += waited
                    return await _ask_once(url, patience, ask, silence)
    except read_faults() as error:
        failure = read_error(error, url, retrying.statistics["attempt_number"])
        if silence:
            await silence.doubt(error, began)
    # Outside the handler: otherwise it carries the client's error, which cannot be pickled on the way from a worker.
    raise failure


async def _ask_once[T](url: str, patience: Patience, ask: Callable[[], Awaitable[T]], silence: Silence | None) -> T:
    if silence:
        await silence.check(url)
    slow = asyncio.get_running_loop().call_later(
        SLOW, logger.warning, "%s: no answer for %d s", show_address(url), SLOW
    )
    try:
        async with asyncio.timeout(patience.timeout):
            answer = await ask()
    except read_faults() as error:
        if silence:
            await silence.doubt(error)
        raise
    finally:
        slow.cancel()
    if silence:
        silence.hear()
    return answer


def retry_arguments(patience: Patience) -> dict[str, Any]:
    """Return the arguments of tenacity: which faults are tried again, how often and after which pause."""
    stop = stop_after_attempt(patience.tries) | stop_before_delay(patience.seconds)
    return {"retry": retry_if_exception(_ask_again()), "stop": stop, "wait": partial(_wait, patience), "reraise": True}


def _ask_again() -> Callable[[BaseException], bool]:
    """Make the rule for asking again: while a fault may pass, and once more after an answer that may be final."""
    heard: set[str] = set()

    def again(error: BaseException) -> bool:
        if not (answer := final_answer(error)):
            return is_transient(error)
        first = answer not in heard
        heard.add(answer)
        return first

    return again


@cache
def _slots(host: str, requests: int) -> asyncio.Semaphore:  # noqa: ARG001  a semaphore for each host
    """Bound the requests in flight to a host, for all images that want the same bound.

    All requests of a process are made in one event loop, which is Zarr's.
    """
    return asyncio.Semaphore(requests)


def _wait(patience: Patience, state: RetryCallState) -> float:
    """Return the pause in seconds: longer each time, and random, so that readers do not return together.

    It is added to the time that the server asks for.
    """
    asked = retry_after(state.outcome.exception() if state.outcome else None)
    return asked + JITTER.uniform(0, min(30, patience.wait * 2 ** (state.attempt_number - 1)))


def _log(url: str, state: RetryCallState) -> None:
    error = state.outcome and state.outcome.exception()
    level = logging.INFO if error and may_be_absence(error) else logging.WARNING
    logger.log(level, "%s: %s, try %d", show_address(url), type(error).__name__, state.attempt_number)
