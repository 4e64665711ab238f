"""The Zarr store wrapper that retries, bounds and verifies every read.

`documents` and `chunk_bodies` say what a whole body is, `faults` what may be tried again.
"""

import lzma
import zlib
from collections.abc import Callable
from copy import copy
from functools import partial
from typing import Any, Self
from uuid import uuid4

from tenacity import Retrying, retry_if_exception, stop_after_attempt, stop_before_delay
from zarr.abc.store import ByteRequest, Store
from zarr.core.buffer import Buffer, BufferPrototype, default_buffer_prototype
from zarr.errors import ChunkNotFoundError
from zarr.storage import WrapperStore

from idr_assets.imaging.errors import CorruptBodyError, ImageError, join_address, masked
from idr_assets.imaging.reading.chunk_bodies import ChunkFormat, ShardFormat, check_body, check_length
from idr_assets.imaging.reading.document_answers import DocumentAnswers
from idr_assets.imaging.reading.documents import DOCUMENTS, read_document
from idr_assets.imaging.reading.faults import AnswerError, RefusedError, read_error
from idr_assets.imaging.reading.retries import Patience, patiently, rules
from idr_assets.imaging.reading.whole_bodies import BODIES
from idr_assets.imaging.stores.by_address import is_local
from idr_assets.imaging.stores.ranges import RangeIgnoredError, find_limits

UNDECODABLE = (ExceptionGroup, ValueError, RuntimeError, OSError, EOFError, zlib.error, lzma.LZMAError)
"""What decoding a chunk raises, or a shard, whose faults come as a group."""

DECODING_TRIES = 3
"""Fewer than for other faults: what cannot be decoded is mostly broken for good."""


class ChunkStore(WrapperStore[Store]):
    """Reads of a store, each tried again while it may help, and verified.

    A key that does not exist is None, as Zarr wants it. So is one that the store refuses, for many stores answer so for
    what does not exist; the reader then looks at `documents` and `chunk_refusals`. Any other key that cannot be read
    raises `ImageError`.

    Attributes
    ----------
    chunks : ChunkFormat or ShardFormat, optional
        How the chunks are encoded, once it is known.
    documents : DocumentAnswers
        Which of Zarr's documents the store sent and refused.
    chunk_refusals : dict of str to RefusedError
        By key, the chunks that the store refused.
    chunks_answer : bool
        Whether any chunk was sent: then those that are refused do not exist.

    """

    def __init__(
        self, store: Store, url: str, patience: Patience, chunks: ChunkFormat | ShardFormat | None = None
    ) -> None:
        """Wrap a store whose root is at `url`."""
        super().__init__(store)
        self.url = url
        self.patience = patience
        self.chunks = chunks
        self.chunk_refusals: dict[str, RefusedError] = {}
        self.chunks_answer = False
        self.documents = DocumentAnswers()
        self._opening = uuid4().hex
        self._knows_no_ranges = False  # which goes to workers with the level

    def _with_store(self, store: Store) -> Self:
        other = copy(self)
        other._store = store  # noqa: SLF001  its own
        return other

    @property
    def _supports_sync_io(self) -> bool:
        # Zarr would otherwise read local chunks past `get`.
        return False

    async def get(self, key: str, prototype: BufferPrototype, byte_range: ByteRequest | None = None) -> Buffer | None:
        """Read a key, again and again while the fault is one that passes."""
        is_document = key.rpartition("/")[2] in DOCUMENTS
        body = await (self._get_document(key) if is_document else self._get_chunk(key, byte_range))
        return None if body is None else prototype.buffer.from_bytes(body)

    def get_ranges(self, *args: Any, **arguments: Any) -> Any:  # noqa: ANN401  Zarr's signature
        """Read parts of a shard by `get` too, where Zarr's wrapper would ask the wrapped store."""
        return Store.get_ranges(self, *args, **{name: value for name, value in arguments.items() if value is not None})

    def forget(self) -> None:
        """Drop the bodies that are kept of this store, because one of them cannot be decoded."""
        BODIES.forget(self._opening)

    @property
    def is_local(self) -> bool:
        """Whether the store is on a disk here, where what is damaged stays so."""
        return is_local(self.url)

    async def _get_document(self, key: str) -> bytes | None:
        try:
            body = await self._ask(key)
        except AnswerError as refusal:
            self.documents.note(key, refusal)
            return None
        except ImageError:
            self.documents.note(key)
            raise
        if body is not None:
            self.documents.note(key)
        return body

    async def _get_chunk(self, key: str, wanted: ByteRequest | None) -> bytes | None:
        try:
            body = await (self._part(key, wanted) if wanted and self._sends_wholes() else self._ask(key, wanted))
        except RefusedError as refusal:
            self.chunk_refusals[key] = copy(refusal)  # without its traceback
            return None
        self.chunks_answer |= body is not None
        return body

    async def _part(self, key: str, wanted: ByteRequest) -> bytes | None:
        """Read a part of a shard of a server that knows no ranges."""
        body = await BODIES.get(self._opening, key, partial(self._ask, key))
        try:
            return None if body is None else _cut(body, wanted)
        except CorruptBodyError as error:
            raise read_error(error, self._url_of(key), 1) from None

    def _sends_wholes(self) -> bool:
        self._knows_no_ranges = self._knows_no_ranges or BODIES.has_any(self._opening)
        return self._knows_no_ranges

    async def _ask(self, key: str, wanted: ByteRequest | None = None) -> bytes | None:
        return await patiently(self._url_of(key), self.patience, partial(self._read, key, wanted))

    async def _read(self, key: str, wanted: ByteRequest | None) -> bytes | None:
        try:
            found = await self._store.get(key, default_buffer_prototype(), wanted)
        except RangeIgnoredError as whole:
            body = self._verify(key, whole.body, None)
            BODIES.keep(self._opening, key, body)
            return body if wanted is None else _cut(body, wanted)
        if found is None:
            return None
        return self._verify(key, found.to_bytes(), wanted)

    def _verify(self, key: str, body: bytes, wanted: ByteRequest | None) -> bytes:
        """Check a body, and give it as Zarr takes it."""
        try:
            return self._check(key, body, wanted)
        except CorruptBodyError as error:
            if not self.is_local:
                raise
            message = f"{self._url_of(key)} is damaged: {error}. Restore it from a copy of the image."
            raise ImageError(message) from None

    def _check(self, key: str, body: bytes, wanted: ByteRequest | None) -> bytes:
        if wanted is not None:
            check_length(body, wanted)
        elif key.rpartition("/")[2] in DOCUMENTS:
            return read_document(self._url_of(key), body)
        else:
            check_body(body, self.chunks)
        return body

    def __str__(self) -> str:
        """Name the store without what may be secret in its address: Zarr's own errors print it."""
        return f"ChunkStore({masked(self.url)})"

    __repr__ = __str__

    def _url_of(self, key: str) -> str:
        return join_address(self.url, key)


def _cut(body: bytes, wanted: ByteRequest) -> bytes:
    part = body[slice(*find_limits(wanted, len(body)))]
    check_length(part, wanted)
    return part


def retry_decoding[T](read: Callable[[], T], store: ChunkStore) -> T:
    """Call `read`, and call it again if decoding fails: only a decoder sees some faults of a body."""
    patience, tries = store.patience, 1 if store.is_local else DECODING_TRIES
    stop = stop_after_attempt(min(patience.tries, tries)) | stop_before_delay(patience.seconds)
    again = {"retry": retry_if_exception(_is_undecodable), "stop": stop, "before_sleep": lambda _: store.forget()}
    return Retrying(**rules(patience) | again)(read)


def _is_undecodable(error: BaseException) -> bool:
    if isinstance(error, ExceptionGroup):
        return error.subgroup(ImageError) is None  # which was tried again already
    return isinstance(error, UNDECODABLE) and not isinstance(error, ChunkNotFoundError)
