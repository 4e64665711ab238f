"""The Zarr store wrapper between this project and a store that stutters: it retries, bounds and verifies every read.

What a whole body is, tell `documents` and `verification`; what may be tried again, `faults`.
"""

import lzma
import zlib
from collections.abc import Callable, Mapping
from functools import partial
from http import HTTPStatus
from typing import Any, Self

from tenacity import Retrying, retry_if_exception, stop_after_attempt, stop_before_delay
from zarr.abc.store import ByteRequest, Store
from zarr.core.buffer import Buffer, BufferPrototype
from zarr.core.sync import sync
from zarr.errors import ChunkNotFoundError
from zarr.storage import WrapperStore

from idr_assets.imaging.errors import CorruptBodyError, ImageError, join_address, masked
from idr_assets.imaging.reading.chunk_bodies import ChunkFormat, ShardFormat, check_length
from idr_assets.imaging.reading.documents import DOCUMENTS, read_document
from idr_assets.imaging.reading.faults import read_faults, status_of
from idr_assets.imaging.reading.retries import PATIENT, Patience, patiently, rules
from idr_assets.imaging.stores.by_address import open_source

UNDECODABLE = (ExceptionGroup, ValueError, RuntimeError, OSError, EOFError, zlib.error, lzma.LZMAError)
"""What decoding a chunk raises, or a shard, whose faults come as a group."""

DECODING_TRIES = 3
"""Most are of an image that is broken for good, unlike the faults that a store or a length tells of."""


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
        return await patiently(self._url_of(key), self.patience, partial(self._read, key, prototype, byte_range))

    def get_ranges(self, *args: Any, **arguments: Any) -> Any:  # noqa: ANN401  Zarr's signature
        """Read parts of a shard by `get` too, where Zarr's wrapper would ask the wrapped store."""
        return Store.get_ranges(self, *args, **{name: value for name, value in arguments.items() if value is not None})

    async def _read(self, key: str, prototype: BufferPrototype, byte_range: ByteRequest | None) -> Buffer | None:
        body = await self._store.get(key, prototype, byte_range)
        if body is not None:
            self._verify(key, body.to_bytes(), byte_range)
            if byte_range is None and _is_document(key):
                return prototype.buffer.from_bytes(read_document(self._url_of(key), body.to_bytes()))
        return body

    def _verify(self, key: str, body: bytes, byte_range: ByteRequest | None) -> None:
        if byte_range is not None:
            check_length(body, byte_range)
        elif not _is_document(key) and self.chunks and (wrong := self.chunks.wrong(body)):
            raise CorruptBodyError(wrong)

    def __str__(self) -> str:
        """Name the store without what may be secret in its address: Zarr's own errors print it."""
        return f"ChunkStore({masked(self.url)})"

    __repr__ = __str__

    def _url_of(self, key: str) -> str:
        return join_address(self.url, key)


def _is_document(key: str) -> bool:
    return key.rpartition("/")[2] in DOCUMENTS


def file_info(
    url: str, storage_options: Mapping[str, Any] | None = None, patience: Patience = PATIENT
) -> dict[str, Any] | None:
    """Tell what a store knows of one file, such as its ETag, None where there is none; asked for as reads are."""
    filesystem, path = open_source(url, storage_options)
    info: dict[str, Any] | None = sync(patiently(url, patience, partial(_info, filesystem, path)))
    return info


async def _info(filesystem: Any, path: str) -> Any:  # noqa: ANN401  any of fsspec's
    try:
        return await filesystem._info(path)  # noqa: SLF001  so fsspec names what is asynchronous
    except FileNotFoundError as error:
        # fsspec says so of an HTTP server whatever its answer is.
        cause = error.__cause__
        if isinstance(cause, read_faults()) and status_of(cause) != HTTPStatus.NOT_FOUND:
            raise cause from None
        return None


def decoded[T](read: Callable[[], T], patience: Patience) -> T:
    """Call `read` again where decoding fails: a body may be wrong in ways that only a decoder sees."""
    stop = stop_after_attempt(min(patience.tries, DECODING_TRIES)) | stop_before_delay(patience.seconds)
    return Retrying(**rules(patience) | {"retry": retry_if_exception(_is_undecodable), "stop": stop})(read)


def _is_undecodable(error: BaseException) -> bool:
    if isinstance(error, ExceptionGroup):
        return error.subgroup(ImageError) is None  # which was tried again already
    return isinstance(error, UNDECODABLE) and not isinstance(error, ChunkNotFoundError)
