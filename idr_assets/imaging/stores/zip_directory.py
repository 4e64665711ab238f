"""The directory of a ZIP archive: which files it holds, and where. It is read from the archive's end alone."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from io import RawIOBase
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from idr_assets.imaging.errors import CorruptBodyError
from idr_assets.imaging.store_text import cite

HEADER = struct.Struct("<4s5H3L2H")
"""Before each file of an archive; it ends in the lengths of the name and of the extra field behind it."""

END, END64 = struct.Struct("<4s4H2LH"), struct.Struct("<4sQ2H2L4Q")
END_MARK, END64_MARK = b"PK\5\6", b"PK\6\6"
LONGEST_FIELD = 2**16 - 1
UNKNOWN = 2**32 - 1
"""Stands for a number that is too large for an archive without ZIP64."""

ENCRYPTED = 1
"""The flag of a file that is encrypted."""

TAIL = LONGEST_FIELD + END.size + END64.size + 20
"""Bytes in which an archive ends at most after its directory; 20 are those of a locator."""


class ArchiveError(Exception):
    """An archive cannot be read as an image; the message says why."""


@dataclass(frozen=True)
class Entry:
    """Where a file lies in an archive: from `offset` on, with its header, and not beyond `limit`."""

    offset: int
    limit: int
    packed: int
    size: int
    method: int
    checksum: int


def start_of_directory(tail: bytes) -> int:
    """Find where the directory begins, in the last bytes of an archive; `ArchiveError` where they are of none."""
    at = tail.rfind(END_MARK)
    if at < 0 or len(tail) < at + END.size:
        message = "it is no ZIP archive, or cut off"
        raise ArchiveError(message)
    start: int = END.unpack_from(tail, at)[6]
    at64 = tail.rfind(END64_MARK, 0, at)
    return END64.unpack_from(tail, at64)[9] if start == UNKNOWN and at64 >= 0 else start


def read_directory(start: int, end: bytes) -> dict[str, Entry]:
    """Read the directory, which with all that follows is `end`: where each file lies, by its name below the image."""
    try:
        files = [file for file in ZipFile(_End(start, end)).infolist() if not file.is_dir()]
    except (BadZipFile, ValueError) as error:
        message = f"its directory is damaged ({cite(error)})"
        raise ArchiveError(message) from None
    if any(file.flag_bits & ENCRYPTED or file.compress_type not in {ZIP_STORED, ZIP_DEFLATED} for file in files):
        message = "its files are encrypted, or compressed in another way than by deflate"
        raise ArchiveError(message)
    return _entries(files, start)


def header_length(header: bytes) -> int:
    """Give the length of the header that a file of the archive begins with."""
    if len(header) < HEADER.size or not header.startswith(b"PK\3\4"):
        message = "the archive has no file where its directory says"
        raise CorruptBodyError(message)
    *_, name, extra = HEADER.unpack_from(header)
    return HEADER.size + int(name) + int(extra)


class _End(RawIOBase):
    """The end of a file from `start` on, as `zipfile` reads a directory."""

    def __init__(self, start: int, body: bytes) -> None:
        self._start, self._body, self._at = start, body, 0

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = max(0, offset + (0, self._at, self._start + len(self._body))[whence])
        return self._at

    def tell(self) -> int:
        return self._at

    def read(self, size: int = -1) -> bytes:
        first = self._at - self._start
        found = self._body[max(0, first) : None if size < 0 else max(0, first + size)]
        self._at += len(found)
        return found

    def seekable(self) -> bool:
        return True


def _entries(files: Sequence[ZipInfo], end: int) -> dict[str, Entry]:
    """Tell where each file lies, by its name below the folder that holds the image."""
    offsets = sorted({file.header_offset for file in files})
    limits = dict(zip(offsets, [*offsets[1:], end], strict=True))
    if any(file.header_offset + HEADER.size + file.compress_size > limits[file.header_offset] for file in files):
        message = "its directory is damaged (files overlap)"
        raise ArchiveError(message)
    folders = {file.filename.partition("/")[0] for file in files}
    root = not {"zarr.json", ".zgroup", ".zattrs"}.isdisjoint(folders) or len(folders) != 1
    skipped = 0 if root else len(folders.pop()) + 1
    return {
        file.filename[skipped:]: Entry(
            file.header_offset,
            limits[file.header_offset],
            file.compress_size,
            file.file_size,
            file.compress_type,
            file.CRC,
        )
        for file in files
    }
