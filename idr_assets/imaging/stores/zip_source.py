"""An image in one file, `.ozx` or `.zip`: its directory is read once, then a part of the file for each key."""

from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Any, NoReturn, Self
from urllib.parse import urlsplit
from uuid import uuid4
from zipfile import ZIP_STORED, ZipInfo

from zarr.abc.store import ByteRequest, Store
from zarr.core.buffer import Buffer, BufferPrototype

from idr_assets.imaging.errors import CorruptBodyError, ImageError
from idr_assets.imaging.store_text import show_address
from idr_assets.imaging.stores.answers import TooLongError, expect
from idr_assets.imaging.stores.ranges import RangeIgnoredError, find_limits
from idr_assets.imaging.stores.zip_directory import (
    HEADER,
    TAIL,
    ArchiveError,
    Directory,
    find_directory,
    header_length,
)

SUFFIXES = {".ozx", ".zip"}
MOST_OF_A_DIRECTORY = 256 * 2**20
"""Most bytes of an archive after the last of its files."""

NO_RANGES = "its server sends the whole file where a part is asked for"

FEW = 4
_directories: dict[str, Directory] = {}
"""The last directories of this process: a level goes to a worker with each block, and its store with it."""


def is_zip(url: str) -> bool:
    """Return whether an address is that of an archive, by its name."""
    return PurePosixPath(urlsplit(url).path if "://" in url else url).suffix.lower() in SUFFIXES


class ZipSource(Store):
    """The files of an archive as a store, which neither writes nor lists.

    The image is at the root of the archive, or in its only folder.
    """

    supports_writes = False
    supports_deletes = False
    supports_listing = False

    def __init__(self, filesystem: Any, path: str) -> None:  # noqa: ANN401  any of fsspec's
        """Take an asynchronous filesystem and the path of the archive in it; nothing is read."""
        super().__init__(read_only=True)
        self._filesystem, self._path, self._token = filesystem, path, uuid4().hex

    def __eq__(self, other: object) -> bool:
        """Compare by the archive."""
        return isinstance(other, ZipSource) and (other._path, other._filesystem) == (self._path, self._filesystem)

    __hash__ = None  # type: ignore[assignment]

    def with_read_only(self, read_only: bool = True) -> Self:  # noqa: ARG002, FBT001, FBT002  Zarr's signature
        """Return the store itself, which is always read-only."""
        return self

    async def get(self, key: str, prototype: BufferPrototype, byte_range: ByteRequest | None = None) -> Buffer | None:
        """Read a file of the archive, or a part of it; None where the file does not exist."""
        directory = await self._directory()
        if not directory or not (file := directory.files.get(key)):
            return None
        start, stop = find_limits(byte_range, file.file_size)
        if byte_range is not None and file.compress_type == ZIP_STORED:
            first = await self._start(file)
            return prototype.buffer.from_bytes(await self._read(first + start, first + stop))
        body = await self._read(*directory.find_place(file))
        return prototype.buffer.from_bytes(directory.unpack(file, body)[start:stop])

    async def get_partial_values(
        self, prototype: BufferPrototype, key_ranges: Iterable[tuple[str, ByteRequest | None]]
    ) -> list[Buffer | None]:
        """Read several parts."""
        return [await self.get(key, prototype, byte_range) for key, byte_range in key_ranges]

    async def exists(self, key: str) -> bool:
        """Return whether the archive has a file."""
        directory = await self._directory()
        return directory is not None and key in directory.files

    async def _start(self, file: ZipInfo) -> int:
        offset = file.header_offset
        return offset + header_length(await self._read(offset, offset + HEADER))

    async def _directory(self) -> Directory | None:
        """Read the directory of the archive, once in each process; None where there is no archive."""
        if self._token not in _directories:
            try:
                directory = await self._read_directory()
            except FileNotFoundError:
                return None
            except ArchiveError as error:
                raise ImageError(self._explain(str(error))) from None
            while len(_directories) >= FEW:
                _directories.pop(next(iter(_directories)))
            _directories[self._token] = directory
        return _directories[self._token]

    async def _read_directory(self) -> Directory:
        tail = await self._part(-TAIL, None)
        start = find_directory(tail)
        is_whole = len(tail) < TAIL
        return Directory(start, tail[start:] if is_whole else await self._part(start, None))

    async def _read(self, start: int, stop: int) -> bytes:
        body = await self._part(start, stop)
        if len(body) < stop - start:
            message = f"it has {len(body)} bytes, {stop - start} were asked for"
            raise CorruptBodyError(message)
        return body

    async def _part(self, start: int, stop: int | None) -> bytes:
        """Ask for a part of the archive; a server that does not support ranges sends all of it, if it is small."""
        most = MOST_OF_A_DIRECTORY if stop is None else stop - start
        try:
            with expect(TAIL if start < 0 else most):
                body: bytes = await self._filesystem._cat_file(self._path, start=start, end=stop)  # noqa: SLF001  fsspec's name of the asynchronous method
        except RangeIgnoredError as whole:
            body = whole.body
        except TooLongError:
            raise ImageError(self._explain(NO_RANGES)) from None
        if len(body) > most:
            raise ImageError(self._explain(NO_RANGES))
        return body

    def _explain(self, reason: str) -> str:
        return (
            f"{show_address(self._path)} cannot be read as an image in one file: {reason}. Download and unpack it, and "
            "write the address of the folder."
        )

    def _refuse(self, *_: object) -> NoReturn:
        raise NotImplementedError

    set: Any = _refuse
    delete: Any = _refuse
    list: Any = _refuse
    list_prefix: Any = _refuse
    list_dir: Any = _refuse
