"""The Zarr store wrapper between this project and a store that stutters: it retries, bounds and verifies every read.

What a whole body is, tell `documents` and `verification`; what may be tried again, `faults`.
"""

import asyncio
import logging
import lzma
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from random import SystemRandom
from typing import Any, Self
from urllib.parse import urlsplit

from tenacity import (
    AsyncRetrying,
    RetryCallState,
    Retrying,
    retry_if_exception,
    stop_after_attempt,
    stop_before_delay,
)
from zarr.abc.store import ByteRequest, Store
from zarr.core.buffer import Buffer, BufferPrototype
from zarr.errors import ChunkNotFoundError
from zarr.storage import WrapperStore

from idr_assets.imaging.documents import DOCUMENTS, check_document
from idr_assets.imaging.errors import CorruptBodyError, ImageError, masked
from idr_assets.imaging.faults import is_transient, read_error, read_faults, retry_after
from idr_assets.imaging.stores import open_filesystem
from idr_assets.imaging.verification import ChunkFormat, ShardFormat, check_length

UNDECODABLE = (ExceptionGroup, ValueError, RuntimeError, OSError, EOFError, zlib.error, lzma.LZMAError)
"""What decoding a chunk raises, or a shard, whose faults come as a group."""

DECODING_TRIES = 3
"""Most are of an image that is broken for good, unlike the faults that a store or a length tells of."""

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


JITTER = SystemRandom()
"""Apart from the generator of the process: a segmentation that seeds that one gets the same labels after retries."""


class ChunkStore(WrapperStore[Store]):
    """Reads of a store, each tried again while it may help, and verified.

    Raises `ImageError` where a key cannot be read; a key that is not there is None, as Zarr wants it.
    """

    def __init__(
        self, store: Store, url: str, patience: Patience, chunks: ChunkFormat | ShardFormat | None = None
    ) -> None:
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
        except read_faults() as error:
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
    retrying = Retrying(**_rules(patience))
    try:
        filesystem, path = open_filesystem(url, storage_options)
        info: dict[str, Any] = retrying(_info, filesystem, path)
    except FileNotFoundError:
        return None
    except read_faults() as error:
        raise read_error(error, url, retrying.statistics["attempt_number"]) from None
    return info


def decoded[T](read: Callable[[], T], patience: Patience) -> T:
    """Call `read` again where decoding fails: a body may be wrong in ways that only a decoder sees."""
    stop = stop_after_attempt(min(patience.tries, DECODING_TRIES)) | stop_before_delay(patience.seconds)
    return Retrying(**_rules(patience) | {"retry": retry_if_exception(_is_undecodable), "stop": stop})(read)


def _is_undecodable(error: BaseException) -> bool:
    if isinstance(error, ExceptionGroup):
        return error.subgroup(ImageError) is None  # which was tried again already
    return isinstance(error, UNDECODABLE) and not isinstance(error, ChunkNotFoundError)


def _info(filesystem: Any, path: str) -> Any:  # noqa: ANN401  any of fsspec's
    try:
        return filesystem.info(path)
    except FileNotFoundError as error:
        # fsspec says so of an HTTP server whatever its answer is.
        if isinstance(error.__cause__, read_faults()):
            raise error.__cause__ from None
        raise


def _rules(patience: Patience) -> dict[str, Any]:
    """Say for tenacity what is tried again, how often and after which wait."""
    stop = stop_after_attempt(patience.tries) | stop_before_delay(patience.seconds)
    return {"retry": retry_if_exception(is_transient), "stop": stop, "wait": partial(_wait, patience), "reraise": True}


@cache
def _slots(host: str, requests: int) -> asyncio.Semaphore:  # noqa: ARG001  a semaphore for each host
    """Bound the requests in flight to a host; all of Zarr's reads in a process are in one event loop."""
    return asyncio.Semaphore(requests)


def _wait(patience: Patience, state: RetryCallState) -> float:
    """Seconds to the next try: longer each time and at random, so that readers do not come back together.

    What the server asks for comes first.
    """
    asked = retry_after(state.outcome.exception() if state.outcome else None)
    return asked + JITTER.uniform(0, min(30, patience.wait * 2 ** (state.attempt_number - 1)))
