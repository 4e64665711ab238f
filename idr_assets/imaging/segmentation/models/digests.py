"""The SHA-256 of files, remembered in the user's cache until a file changes, and files that are written whole."""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


def digest_path(path: Path) -> str:
    """Return the SHA-256 of a file, or of the list of a folder's files; '' if there is none.

    With a network in ONNX form goes the file `<name>.data` beside it, in which large ones have their weights.
    """
    files = sorted(it for it in path.rglob("*") if it.is_file()) if path.is_dir() else [path]
    files += [more] if (more := path.with_name(f"{path.name}.data")).is_file() else []
    if not files or not files[0].is_file():
        return ""
    if files == [path]:
        return digest_file(path)
    lines = (f"{digest_file(it)}  {it.relative_to(path.parent).as_posix().partition('/')[2]}\n" for it in files)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def digest_file(path: Path) -> str:
    """Return the SHA-256 of a file, which is read only if it is not remembered."""
    state = path.stat()
    known = f"{path.absolute()} {state.st_ino} {state.st_size} {state.st_mtime_ns} {state.st_ctime_ns}"
    note = cache_folder("digests") / hashlib.sha256(known.encode()).hexdigest()
    with suppress(OSError, ValueError):
        if len(bytes.fromhex(remembered := note.read_text())) == hashlib.sha256().digest_size:
            return remembered
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    with suppress(OSError), write_whole(note) as part:
        part.write_text(digest)
    return digest


@contextmanager
def write_whole(file: Path) -> Iterator[Path]:
    """Give a path to write to, whose file takes the place of `file` at the end, unless an error is raised."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=file.parent) as folder:
        part = Path(folder) / file.name
        yield part
        part.replace(file)


def cache_folder(part: str) -> Path:
    """Return a folder of this package in the user's cache."""
    home = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(home).expanduser() / "idr_assets" / part
