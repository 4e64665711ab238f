"""Verify what a store answers: its length, its format, and that the parts of an object are of one version of it."""

from collections.abc import AsyncIterator, Mapping, Sequence

from zarr.abc.store import ByteRequest, RangeByteRequest
from zarr.core.buffer import Buffer

from idr_assets.imaging.errors import CorruptBodyError, ForeignBodyError
from idr_assets.imaging.reading.chunk_bodies import PAGE, ChunkFormat, ShardFormat
from idr_assets.imaging.reading.chunk_formats import find_checksum
from idr_assets.imaging.reading.documents import DOCUMENTS, read_document
from idr_assets.imaging.reading.store_checksums import StoreChecksums
from idr_assets.imaging.store_text import quote
from idr_assets.imaging.stores.answers import MOST_OF_A_DOCUMENT, Answer, check_page
from idr_assets.imaging.stores.ranges import find_limits, version_of

type Parts = Sequence[tuple[int, Buffer | None]]


class Verification:
    """What is known of a store's objects, against which its answers are verified.

    Attributes
    ----------
    chunks : ChunkFormat or ShardFormat, optional
        How the chunks are encoded, once it is known.

    """

    def __init__(self) -> None:
        """Know nothing yet."""
        self.chunks: ChunkFormat | ShardFormat | None = None
        self._checksums = StoreChecksums()
        self._versions: dict[str, Mapping[str, str]] = {}

    @property
    def means(self) -> str:
        """By what chunks are verified, as far as the last body shows it: a checksum, or their lengths alone."""
        if self._checksums.found and not isinstance(self.chunks, ShardFormat):  # of which parts are read
            return f"{self._checksums.found.upper()} of the store"
        checksum = find_checksum(self.chunks)
        return f"{checksum} of the codec" if checksum else "length alone"

    def most(self, key: str) -> int:
        """Return how many bytes the body of a key may have."""
        return MOST_OF_A_DOCUMENT if is_document(key) or not self.chunks else max(PAGE, self.chunks.most)

    def verify(self, key: str, url: str, body: bytes, answer: Answer) -> bytes:
        """Verify the body of a key at `url`, and return it in a form that Zarr reads.

        Raises
        ------
        CorruptBodyError
            Where it is not what the store holds.
        ImageError
            Where it is a document that is not read here, see `read_document`.

        """
        self._checksums.verify(answer)
        if is_document(key):
            return read_document(url, body)
        check_body(body, self.chunks)
        return body

    def verify_part(self, key: str, body: bytes, wanted: ByteRequest, answer: Answer) -> bytes:
        """Verify a part of a chunk or a shard."""
        check_length(body, wanted)
        self.compare_version(key, answer)
        return body

    def compare_version(self, key: str, answer: Answer) -> None:
        """Raise `ForeignBodyError` where the store has another version of an object than of its first part."""
        version = version_of(answer.headers)
        first = self._versions.setdefault(key, version)
        for name, value in version.items():
            if value and first[name] and value != first[name]:
                message = f"it was replaced while it was read: its {name} was {quote(first[name])}, is {quote(value)}"
                raise ForeignBodyError(message)

    async def verify_chunks(self, parts: AsyncIterator[Parts]) -> AsyncIterator[Parts]:
        """Verify chunks of a shard before they are decoded; ValueError where one holds more than a chunk."""
        async for group in parts:
            for _, part in group:
                chunk = self.chunks.chunk if part and isinstance(self.chunks, ShardFormat) else None
                if part and chunk and (wrong := chunk.excessive(part.to_bytes())):
                    raise ValueError(wrong)
            yield group


def is_document(key: str) -> bool:
    """Return whether a key is that of a metadata document; every other key is a chunk's."""
    return key.rpartition("/")[2] in DOCUMENTS


def check_body(body: bytes, chunks: ChunkFormat | ShardFormat | None) -> None:
    """Raise `CorruptBodyError` where the body of a whole chunk or shard is not what its format says."""
    check_page(body)
    if chunks and (wrong := chunks.wrong(body)):
        raise CorruptBodyError(wrong + _describe_text(body))


def _describe_text(body: bytes) -> str:
    """Quote a short text: an error, or the link that Git, Git LFS and git-annex keep in place of a file."""
    if len(body) > PAGE or not (body.isascii() and (text := body.decode().strip())):
        return ""
    readable = all(letter.isprintable() or letter.isspace() for letter in text)
    return f"; it is the text {quote(text)}, perhaps a link that was copied in place of its file" if readable else ""


def check_length(body: bytes, wanted: ByteRequest) -> None:
    """Raise `CorruptBodyError` unless a part of a chunk has the length that was requested."""
    length = wanted.end - wanted.start if isinstance(wanted, RangeByteRequest) else getattr(wanted, "suffix", len(body))
    if len(body) != length:
        check_page(body)
        message = f"{length} bytes were requested, the answer has {len(body)}"
        raise CorruptBodyError(message)


def cut_part(body: bytes, wanted: ByteRequest) -> bytes:
    """Cut a part out of a whole body."""
    part = body[slice(*find_limits(wanted, len(body)))]
    check_length(part, wanted)
    return part
