"""The directory of a ZIP archive: which files it holds, and where. It is read from the archive's end alone."""

import zlib
from io import RawIOBase
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from idr_assets.imaging.errors import CorruptBodyError
from idr_assets.imaging.store_text import cite

HEADER = 30
"""Bytes before each file of an archive, in front of its name and of an extra field, whose lengths come last."""

LONGEST_FIELD = 2**16 - 1

END_MARK, END64_MARK = b"PK\5\6", b"PK\6\6"
END, END64 = 22, 76
"""Bytes after the directory, without the archive's comment: always, and in an archive with ZIP64, its locator too."""

UNKNOWN = 2**32 - 1
"""Stands for a number that is too large for an archive without ZIP64."""

ENCRYPTED = 1
"""The flag of a file that is encrypted."""

TAIL = END + END64 + LONGEST_FIELD
"""Bytes in which an archive ends at most after its directory."""


class ArchiveError(Exception):
    """An archive cannot be read as an image; the message says why."""


def find_directory(tail: bytes) -> int:
    """Find where the directory begins, in the last bytes of an archive; `ArchiveError` if they are not those of one."""
    at = tail.rfind(END_MARK)
    if at < 0 or len(tail) < at + END:
        message = "it is not a ZIP archive, or its end is missing"
        raise ArchiveError(message)
    start, at64 = int.from_bytes(tail[at + 16 : at + 20], "little"), tail.rfind(END64_MARK, 0, at)
    return int.from_bytes(tail[at64 + 48 : at64 + 56], "little") if start == UNKNOWN and at64 >= 0 else start


def header_length(header: bytes) -> int:
    """Return the length of the header in front of a file of the archive."""
    if len(header) < HEADER or not header.startswith(b"PK\3\4"):
        message = "the archive has no file where its directory says"
        raise CorruptBodyError(message)
    return HEADER + int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")


class Directory:
    """The files of an archive, without their contents.

    Parameters
    ----------
    start : int
        Where the directory begins in the archive.
    end : bytes
        The directory, and all that follows it.

    Attributes
    ----------
    files : dict of str to ZipInfo
        By their names below the folder that holds the image.

    """

    def __init__(self, start: int, end: bytes) -> None:
        """Read the directory; `ArchiveError` where it is damaged, or its files cannot be read here."""
        self._part = _Part(start, end)
        try:
            self._archive = ZipFile(self._part)
        except (BadZipFile, ValueError) as error:
            message = f"its directory is damaged ({cite(error)})"
            raise ArchiveError(message) from None
        files = [file for file in self._archive.infolist() if not file.is_dir()]
        if any(file.flag_bits & ENCRYPTED or file.compress_type not in {ZIP_STORED, ZIP_DEFLATED} for file in files):
            message = "its files are encrypted, or compressed in another way than by deflate"
            raise ArchiveError(message)
        offsets = sorted({file.header_offset for file in files})
        self._limits = dict(zip(offsets, [*offsets[1:], start], strict=True))
        folders = {file.filename.partition("/")[0] for file in files}
        root = not {"zarr.json", ".zgroup", ".zattrs"}.isdisjoint(folders) or len(folders) != 1
        skipped = 0 if root else len(folders.pop()) + 1
        self.files = {file.filename[skipped:]: file for file in files}

    def find_place(self, file: ZipInfo) -> tuple[int, int]:
        """Return where a file with its header begins, and where it ends at the latest."""
        most = file.header_offset + HEADER + 2 * LONGEST_FIELD + file.compress_size
        return file.header_offset, min(most, self._limits[file.header_offset])

    def unpack(self, file: ZipInfo, body: bytes) -> bytes:
        """Return the content of a file from what is at its place; `CorruptBodyError` where the checksum differs."""
        self._part.hold(file.header_offset, body)
        try:
            with self._archive.open(file) as opened:
                return opened.read(max(1, file.file_size))
        except (BadZipFile, EOFError, NotImplementedError, zlib.error) as error:
            raise CorruptBodyError(cite(error)) from None


class _Part(RawIOBase):
    """A part of a file, from `start` on, as `zipfile` reads the whole of it."""

    def __init__(self, start: int, body: bytes) -> None:
        self._at = 0
        self.hold(start, body)

    def hold(self, start: int, body: bytes) -> None:
        """Change to another part."""
        self._start, self._body = start, body

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
