"""What a folder holds, to compare it before and after."""

from pathlib import Path


def files(folder: Path) -> dict[str, bytes]:
    """Read every file below a folder, by its path in it."""
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}
