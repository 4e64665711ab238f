"""An image in one file, `.ozx` or `.zip`: its directory is read once, and then a part of the file for each key."""

import zlib
from collections.abc import AsyncIterator, Iterable
from pathlib import PurePosixPath
from typing import Any, Self
from urllib.parse import urlsplit
from uuid import uuid4
from zipfile import ZIP_DEFLATED, ZIP_STORED

from zarr.abc.store import ByteRequest, OffsetByteRequest, RangeByteRequest, Store, SuffixByteRequest
from zarr.core.buffer import Buffer, BufferPrototype

from idr_assets.imaging.errors import CorruptBodyError, ImageError
from idr_assets.imaging.store_text import show_address
from idr_assets.imaging.stores.ranges import RangeIgnoredError
from idr_assets.imaging.stores.zip_directory import (
    HEADER,
    LONGEST_FIELD,
    TAIL,
    ArchiveError,
    Entry,
    header_length,
    read_directory,
    start_of_directory,
)

SUFFIXES = {".ozx", ".zip"}
NO_RANGES = "its server sends the whole file where a part is asked for"

FEW = 4
_directories: dict[str, dict[str, Entry]] = {}
"""The directories of the last archives of this process, for a level goes to a worker with each block."""


def is_zip(url: str) -> bool:
    """Tell whether an address is that of an archive, by its name."""
    return PurePosixPath(urlsplit(url).path if "://" in url else url).suffix.lower() in SUFFIXES


class ZipSource(Store):
    """The files of an archive as a store, which cannot be written to.

    Its image lies at the root of the archive, or in the one folder that this holds.
    """

    supports_writes = False
    supports_deletes = False
    supports_listing = True

    def __init__(self, filesystem: Any, path: str) -> None:  # noqa: ANN401  any of fsspec's
        """Take an asynchronous filesystem and the path of the archive in it; nothing is read."""
        super().__init__(read_only=True)
        self._filesystem, self._path, self._token = filesystem, path, uuid4().hex

    def __eq__(self, other: object) -> bool:
        """Compare by the archive."""
        return isinstance(other, ZipSource) and (other._path, other._filesystem) == (self._path, self._filesystem)

    __hash__ = None  # type: ignore[assignment]

    def with_read_only(self, read_only: bool = True) -> Self:  # noqa: ARG002, FBT001, FBT002  Zarr's signature
        """Give the store itself, which is never written to."""
        return self

    async def get(self, key: str, prototype: BufferPrototype, byte_range: ByteRequest | None = None) -> Buffer | None:
        """Read a file of the archive, or a part of it; None where there is none."""
        entry = (await self._directory()).get(key)
        if entry is None:
            return None
        start, stop = _limits(byte_range, entry.size)
        if byte_range is not None and entry.method == ZIP_STORED:
            first = await self._start(entry)
            return prototype.buffer.from_bytes(await self._read(first + start, first + stop))
        return prototype.buffer.from_bytes((await self._whole(entry))[start:stop])

    async def get_partial_values(
        self, prototype: BufferPrototype, key_ranges: Iterable[tuple[str, ByteRequest | None]]
    ) -> list[Buffer | None]:
        """Read several parts."""
        return [await self.get(key, prototype, byte_range) for key, byte_range in key_ranges]

    async def exists(self, key: str) -> bool:
        """Tell whether the archive has a file."""
        return key in await self._directory()

    async def set(self, key: str, value: Buffer) -> None:
        """Refuse to write."""
        raise NotImplementedError

    async def delete(self, key: str) -> None:
        """Refuse to delete."""
        raise NotImplementedError

    async def list(self) -> AsyncIterator[str]:
        """List all files."""
        for key in await self._directory():
            yield key

    async def list_prefix(self, prefix: str) -> AsyncIterator[str]:
        """List the files whose names begin with a prefix."""
        for key in await self._directory():
            if key.startswith(prefix):
                yield key

    async def list_dir(self, prefix: str) -> AsyncIterator[str]:
        """List what is in a folder."""
        folder = f"{prefix.rstrip('/')}/" if prefix else ""
        names = [key[len(folder) :] async for key in self.list_prefix(folder)]
        for name in dict.fromkeys(name.partition("/")[0] for name in names):
            yield name

    async def _whole(self, entry: Entry) -> bytes:
        most = entry.offset + HEADER.size + 2 * LONGEST_FIELD + entry.packed
        body = await self._read(entry.offset, min(entry.limit, most))
        content = body[header_length(body) :][: entry.packed]
        if entry.method == ZIP_DEFLATED:
            content = zlib.decompressobj(-zlib.MAX_WBITS).decompress(content, max(1, entry.size))
        if zlib.crc32(content) != entry.checksum:
            message = "its CRC-32 is not the one that the archive holds"
            raise CorruptBodyError(message)
        return content

    async def _start(self, entry: Entry) -> int:
        return entry.offset + header_length(await self._read(entry.offset, entry.offset + HEADER.size))

    async def _directory(self) -> dict[str, Entry]:
        """Read the directory of the archive, once in each process; it is empty where there is no archive."""
        if self._token not in _directories:
            try:
                entries = await self._read_directory()
            except FileNotFoundError:
                return {}
            except ArchiveError as error:
                raise ImageError(self._refusal(str(error))) from None
            while len(_directories) >= FEW:
                _directories.pop(next(iter(_directories)))
            _directories[self._token] = entries
        return _directories[self._token]

    async def _read_directory(self) -> dict[str, Entry]:
        tail = await self._part(-TAIL, None)
        if len(tail) > TAIL:
            raise ArchiveError(NO_RANGES)
        start = start_of_directory(tail)
        if len(tail) < TAIL:  # which is the whole archive
            return read_directory(start, tail[start:])
        return read_directory(start, await self._part(start, None))

    async def _read(self, start: int, stop: int) -> bytes:
        body = await self._part(start, stop)
        if len(body) > stop - start:
            raise ImageError(self._refusal(NO_RANGES))
        if len(body) < stop - start:
            message = f"it has {len(body)} bytes, {stop - start} were asked for"
            raise CorruptBodyError(message)
        return body

    async def _part(self, start: int, stop: int | None) -> bytes:
        """Ask for a part of the archive; a server that knows no ranges sends all of it."""
        try:
            body: bytes = await self._filesystem._cat_file(self._path, start=start, end=stop)  # noqa: SLF001  so fsspec names what is asynchronous
        except RangeIgnoredError as whole:
            return whole.body
        return body

    def _refusal(self, reason: str) -> str:
        return (
            f"{show_address(self._path)} cannot be read as an image in one file: {reason}. Download and unpack it, and "
            "write the address of the folder."
        )


def _limits(byte_range: ByteRequest | None, size: int) -> tuple[int, int]:
    match byte_range:
        case RangeByteRequest(start, stop):
            return min(start, size), min(stop, size)
        case OffsetByteRequest(offset):
            return min(offset, size), size
        case SuffixByteRequest(suffix):
            return max(0, size - suffix), size
        case _:
            return 0, size
