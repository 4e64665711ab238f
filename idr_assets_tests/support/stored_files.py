"""What a folder holds, to compare it before and after."""

from hashlib import sha256
from pathlib import Path

RECORDS = "*/provenance/*/*/*"
"""Paths of records of planes, which depend on the blocks that a run is cut into."""


def files(folder: Path) -> dict[str, bytes]:
    """Read every file below a folder, but no record of planes, by its path in it."""
    found = (file for file in folder.rglob("*") if file.is_file() and not file.match(RECORDS))
    return {str(file.relative_to(folder)): file.read_bytes() for file in found}


def digests(folder: Path) -> dict[str, str]:
    """Read the same files; a comparison that fails prints less than one of their content."""
    return {name: sha256(content).hexdigest() for name, content in files(folder).items()}
