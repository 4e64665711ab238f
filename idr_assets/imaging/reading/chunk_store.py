"""The Zarr store wrapper that bounds, retries and verifies every read."""

from copy import copy
from functools import partial
from typing import Any, Self
from uuid import uuid4

from zarr.abc.store import ByteRequest, Store
from zarr.core.buffer import Buffer, BufferPrototype, default_buffer_prototype
from zarr.storage import WrapperStore

from idr_assets.imaging.errors import CorruptBodyError, ImageError, join_address, mask
from idr_assets.imaging.reading.document_answers import DocumentAnswers
from idr_assets.imaging.reading.faults import RefusedError, read_error
from idr_assets.imaging.reading.retries import Patience, ask_patiently
from idr_assets.imaging.reading.silence import Silence, silence_of
from idr_assets.imaging.reading.verification import Verification, cut_part, is_document
from idr_assets.imaging.reading.whole_bodies import BODIES
from idr_assets.imaging.stores.answers import Answer, expect
from idr_assets.imaging.stores.by_address import is_local
from idr_assets.imaging.stores.ranges import RangeIgnoredError


class ChunkStore(WrapperStore[Store]):
    """A store whose reads are tried again while that may help, and verified.

    A key that does not exist is None, as Zarr expects. So is a key that the store refuses, because many stores refuse
    what does not exist; the reader then looks at `documents` and `chunk_refusals`. Any other key that cannot be read
    raises `ImageError`.

    Attributes
    ----------
    verification : Verification
        What answers are verified against.
    documents : DocumentAnswers
        Which of Zarr's documents the store sent and refused.
    chunk_refusals : dict of str to RefusedError
        By key, the chunks that the store refused.
    chunks_answer : bool
        Whether any chunk was sent: if so, chunks that are refused do not exist.

    """

    def __init__(self, store: Store, url: str, patience: Patience) -> None:
        """Wrap a store whose root is at `url`."""
        super().__init__(store)
        self.url = url
        self.patience = patience
        self.verification = Verification()
        self.chunk_refusals: dict[str, RefusedError] = {}
        self.chunks_answer = False
        self.documents = DocumentAnswers()
        self._opening = uuid4().hex
        self._lacks_ranges = False  # which goes to workers with the level

    def _with_store(self, store: Store) -> Self:
        other = copy(self)
        other._store = store  # noqa: SLF001  its own
        return other

    @property
    def _supports_sync_io(self) -> bool:
        # Zarr would otherwise read local chunks past `get`.
        return False

    async def get(self, key: str, prototype: BufferPrototype, byte_range: ByteRequest | None = None) -> Buffer | None:
        """Read a key, and try again while the fault may pass."""
        if is_document(key):
            body = await self.documents.get(key, self._ask)
        else:
            body = await self._get_chunk(key, byte_range)
        return None if body is None else prototype.buffer.from_bytes(body)

    def get_ranges(self, *args: Any, **arguments: Any) -> Any:  # noqa: ANN401  Zarr's signature
        """Read parts of a shard by `get` too, where Zarr's wrapper would ask the wrapped store."""
        given = {name: value for name, value in arguments.items() if value is not None}
        return self.verification.verify_chunks(Store.get_ranges(self, *args, **given))

    def forget(self) -> None:
        """Drop the bodies of this store that are kept, because one of them cannot be decoded."""
        BODIES.forget(self._opening)

    @property
    def is_local(self) -> bool:
        """Whether the store is on a disk of this machine, where a damaged file stays damaged."""
        return is_local(self.url)

    async def _get_chunk(self, key: str, wanted: ByteRequest | None) -> bytes | None:
        self._lacks_ranges = self._lacks_ranges or BODIES.has_any(self._opening)
        read = self._part if self._lacks_ranges else self._ask
        try:
            body = await (read(key, wanted) if wanted else self._ask(key))
        except RefusedError as refusal:
            self.chunk_refusals[key] = copy(refusal)  # without its traceback
            return None
        self.chunks_answer |= body is not None
        return body

    async def _part(self, key: str, wanted: ByteRequest) -> bytes | None:
        """Read a part of a shard from a server that does not support ranges."""
        body = await BODIES.get(self._opening, key, partial(self._ask, key))
        try:
            return None if body is None else cut_part(body, wanted)
        except CorruptBodyError as error:
            raise read_error(error, self._url_of(key), 1) from None

    async def _ask(self, key: str, wanted: ByteRequest | None = None) -> bytes | None:
        return await ask_patiently(self._url_of(key), self.patience, partial(self._read, key, wanted), self._silence())

    def _silence(self) -> Silence | None:
        """Give what is known of the store's silence; nothing is before it has sent a document."""
        if self.is_local or not (sent := self.documents.first_sent()):
            return None
        patience = self.patience
        return silence_of(self._opening, partial(self._read, sent, None), patience.seconds, patience.timeout)

    async def _read(self, key: str, wanted: ByteRequest | None) -> bytes | None:
        with expect(self.verification.most(key)) as answer:
            try:
                return await self._read_verified(key, wanted, answer)
            except CorruptBodyError as error:
                if not self.is_local:
                    error.digest = answer.digest()
                    raise
                message = f"{self._url_of(key)} is damaged: {error}. Restore it from a copy of the image."
                raise ImageError(message) from None

    async def _read_verified(self, key: str, wanted: ByteRequest | None, answer: Answer) -> bytes | None:
        verification, url = self.verification, self._url_of(key)
        try:
            found = await self._store.get(key, default_buffer_prototype(), wanted)
        except RangeIgnoredError as whole:
            verification.compare_version(key, answer)
            body = verification.verify(key, url, whole.body, answer)
            BODIES.keep(self._opening, key, body)
            return body if wanted is None else cut_part(body, wanted)
        if found is None:
            return None
        body = found.to_bytes()
        answer.pieces = answer.pieces or [body]  # other filesystems of fsspec
        if wanted is None:
            return verification.verify(key, url, body, answer)
        return verification.verify_part(key, body, wanted, answer)

    def __str__(self) -> str:
        """Name the store without what may be secret in its address: Zarr's own errors print it."""
        return f"ChunkStore({mask(self.url)})"

    __repr__ = __str__

    def _url_of(self, key: str) -> str:
        return join_address(self.url, key)
