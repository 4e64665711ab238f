"""Ask a store with bounds on requests and time, and ask again while its faults may pass.

`faults` says which faults may pass, `chunk_store` what is asked for.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import cache
from itertools import count
from random import SystemRandom
from time import monotonic
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, StrictFloat, StrictInt

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
    may_help, began = _ask_again(), monotonic()
    for attempt in count(1):
        queued = monotonic()
        try:
            async with _slots(urlsplit(url).netloc, patience.requests):
                began += monotonic() - queued  # waiting for a slot is not a failure of the store
                return await _ask_once(url, patience, ask, silence)
        except read_faults() as error:
            pause = find_pause(patience, attempt, error)
            if not may_help(error) or attempt == patience.tries or monotonic() - began + pause >= patience.seconds:
                failure = read_error(error, url, attempt)
                if silence:
                    await silence.doubt(error, began)
                break
            _log(url, error, attempt)
        await asyncio.sleep(pause)
    # Outside the handler: otherwise it carries the client's error, which cannot be pickled on the way from a worker.
    raise failure


async def _ask_once[T](url: str, patience: Patience, ask: Callable[[], Awaitable[T]], silence: Silence | None) -> T:
    if silence:
        await silence.check(url)
    slow = asyncio.get_running_loop().call_later(SLOW, _log_slow, url)
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


def find_pause(patience: Patience, attempt: int, error: BaseException) -> float:
    """Return the pause after a failed attempt in seconds: longer each time, and random.

    So readers do not return together. It is added to the time that the server asks for.
    """
    return retry_after(error) + JITTER.uniform(0, min(30, patience.wait * 2 ** (attempt - 1)))


def _log(url: str, error: BaseException, attempt: int) -> None:
    level = logging.INFO if may_be_absence(error) else logging.WARNING
    logger.log(level, "%s: %s, try %d", show_address(url), type(error).__name__, attempt)


def _log_slow(url: str) -> None:
    logger.warning("%s: no answer for %d s", show_address(url), SLOW)
