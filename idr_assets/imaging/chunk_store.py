"""The Zarr store wrapper between this project and a store that stutters: it retries, bounds and verifies every read.

What a whole body is, tell `documents` and `verification`; what may be tried again, `faults`.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Self
from urllib.parse import urlsplit

from fsspec.core import split_protocol, url_to_fs
from tenacity import AsyncRetrying, RetryCallState, Retrying, retry_if_exception, stop_after_attempt, stop_before_delay
from tenacity.wait import wait_random_exponential
from zarr.abc.store import ByteRequest, Store
from zarr.core.buffer import Buffer, BufferPrototype
from zarr.storage import WrapperStore

from idr_assets.imaging.documents import DOCUMENTS, check_document
from idr_assets.imaging.errors import CorruptBodyError, masked
from idr_assets.imaging.faults import READ_FAULTS, is_transient, read_error, retry_after
from idr_assets.imaging.stores import STORAGE_OPTIONS
from idr_assets.imaging.verification import ChunkFormat, check_length

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Patience:
    """How a store is read: politely, and for how long it may stutter.

    `requests` in flight at once in a process; `timeout` of one request, `seconds` and `tries` for one key. The first
    wait between tries is at most `wait` seconds long, and each later one at most twice as long as the one before.
    """

    requests: int = 16
    timeout: float = 60.0
    seconds: float = 300.0
    tries: int = 10
    wait: float = 0.5


PATIENT = Patience()
"""Enough for a public store that stutters for a minute or two."""


class ChunkStore(WrapperStore[Store]):
    """Reads of a store, each tried again while it may help, and verified.

    Raises `ImageError` where a key cannot be read; a key that is not there is None, as Zarr wants it.
    """

    def __init__(self, store: Store, url: str, patience: Patience, chunks: ChunkFormat | None = None) -> None:
        """Wrap a store whose root is at `url`; `chunks` tells how the chunks are encoded, once it is known."""
        super().__init__(store)
        self.url = url
        self.patience = patience
        self.chunks = chunks

    def _with_store(self, store: Store) -> Self:
        return type(self)(store, self.url, self.patience, self.chunks)

    @property
    def _supports_sync_io(self) -> bool:
        # Zarr would otherwise read local chunks past `get`.
        return False

    async def get(self, key: str, prototype: BufferPrototype, byte_range: ByteRequest | None = None) -> Buffer | None:
        """Read a key, again and again while the fault is one that passes."""
        retrying = self._retrying()
        try:
            return await retrying(self._read, key, prototype, byte_range)
        except READ_FAULTS as error:
            tries: int = retrying.statistics["attempt_number"]
            raise read_error(error, self._url_of(key), tries) from None

    def get_ranges(self, *args: Any, **arguments: Any) -> Any:  # noqa: ANN401  Zarr's signature
        """Read parts of a shard by `get` too, where Zarr's wrapper would ask the wrapped store."""
        return Store.get_ranges(self, *args, **{name: value for name, value in arguments.items() if value is not None})

    async def _read(self, key: str, prototype: BufferPrototype, byte_range: ByteRequest | None) -> Buffer | None:
        async with _slots(urlsplit(self.url).netloc, self.patience.requests), asyncio.timeout(self.patience.timeout):
            body = await self._store.get(key, prototype, byte_range)
        if body is not None:
            self._verify(key, body.to_bytes(), byte_range)
        return body

    def _verify(self, key: str, body: bytes, byte_range: ByteRequest | None) -> None:
        if byte_range is not None:
            check_length(body, byte_range)
        elif key.rpartition("/")[2] in DOCUMENTS:
            check_document(self._url_of(key), body)
        elif self.chunks and (wrong := self.chunks.wrong(body)):
            raise CorruptBodyError(wrong)

    def __str__(self) -> str:
        """Name the store without what may be secret in its address: Zarr's own errors print it."""
        return f"ChunkStore({masked(self.url)})"

    __repr__ = __str__

    def _url_of(self, key: str) -> str:
        return f"{self.url.rstrip('/')}/{key}"

    def _retrying(self) -> AsyncRetrying:
        return AsyncRetrying(before_sleep=self._log, **_rules(self.patience))

    def _log(self, state: RetryCallState) -> None:
        error = state.outcome and state.outcome.exception()
        url = masked(self._url_of(state.args[0]))
        logger.warning("%s: %s, try %d", url, type(error).__name__, state.attempt_number)


def file_info(
    url: str, storage_options: Mapping[str, Any] | None = None, patience: Patience = PATIENT
) -> dict[str, Any] | None:
    """Tell what a store knows of one file, such as its ETag, None where there is none; tried again as reads are."""
    protocol, _ = split_protocol(url)
    options = STORAGE_OPTIONS.get(protocol, {}) | dict(storage_options or {})
    retrying = Retrying(**_rules(patience))
    try:
        filesystem, path = url_to_fs(url, **options)
        info: dict[str, Any] = retrying(_info, filesystem, path)
    except FileNotFoundError:
        return None
    except READ_FAULTS as error:
        raise read_error(error, url, retrying.statistics["attempt_number"]) from None
    return info


def _info(filesystem: Any, path: str) -> Any:  # noqa: ANN401  any of fsspec's
    try:
        return filesystem.info(path)
    except FileNotFoundError as error:
        # fsspec says so of an HTTP server whatever its answer is.
        if isinstance(error.__cause__, READ_FAULTS):
            raise error.__cause__ from None
        raise


def _rules(patience: Patience) -> dict[str, Any]:
    """Say for tenacity what is tried again, how often and after which wait."""
    stop = stop_after_attempt(patience.tries) | stop_before_delay(patience.seconds)
    # Longer each time and at random, so that readers do not come back together, also from a wait that was asked for.
    wait = _asked + wait_random_exponential(multiplier=patience.wait, max=30)
    return {"retry": retry_if_exception(is_transient), "stop": stop, "wait": wait, "reraise": True}


@cache
def _slots(host: str, requests: int) -> asyncio.Semaphore:  # noqa: ARG001  a semaphore for each host
    """Bound the requests in flight to a host; all of Zarr's reads in a process are in one event loop."""
    return asyncio.Semaphore(requests)


def _asked(state: RetryCallState) -> float:
    """Seconds that the server asks to wait."""
    return retry_after(state.outcome.exception() if state.outcome else None)
