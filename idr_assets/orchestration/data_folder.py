"""Where sources with relative addresses and all outputs are."""

import os
from pathlib import Path


def data_url(project: Path, *parts: str) -> str:
    """Join parts to an address below IDR_ASSETS_DATA: an fsspec URL or a path, by default `data` in the project."""
    data = os.environ.get("IDR_ASSETS_DATA") or str(project / "data")
    if "://" not in data:
        data = str(Path(data).expanduser().absolute())
    return "/".join([data.removesuffix("/"), *parts])
