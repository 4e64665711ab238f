"""The address of a new image: as it is read, and as its YAML has it."""

import re
from collections.abc import Collection
from itertools import chain, count
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit, urlunsplit

from idr_assets.components.image_name import usable_name
from idr_assets.imaging.errors import check_address, mask
from idr_assets.orchestration.data_folder import data_url

FILE = re.compile(r"(\.ome)?\.(zarr|ozx|zip)$", re.IGNORECASE)
"""How the name of an image's folder or file ends."""


class NewAddress(NamedTuple):
    """An address to read, its text in the YAML, and the command that a person needs if this names a variable."""

    read: str
    written: str
    export: str | None = None


def place_address(address: str, name: str, project: Path) -> NewAddress:
    """Write an address for a YAML: without what may be secret in it, and a path so that each run finds it.

    A relative path is below IDR_ASSETS_DATA, as in a YAML, or else below the current folder, as on a command line.
    `ImageError` for an address that cannot be understood.
    """
    address = address.strip()
    if "://" not in address:
        return _place_path(address, project)
    check_address(address)
    if mask(address) == address:
        return NewAddress(address, address)
    variable = f"{name.upper()}_URL"
    return NewAddress(address, _template(variable, address), f"export {variable}='...'  # `url` with its secret")


def name_by_address(address: str, taken: Collection[str]) -> str:
    """Name an image by its file, and by what follows that, as in a plate; `taken` are others in lower case."""
    path = unquote(urlsplit(address).path if "://" in address else address)
    parts = [part for part in path.split("/") if part]
    at = max((at for at, part in enumerate(parts) if FILE.search(part)), default=len(parts) - 1)
    name = usable_name("_".join(FILE.sub("", part) for part in parts[at:])) or "image"
    numbered = (f"{name}_{number}" for number in count(2))
    return next(it for it in chain([name], numbered) if it.lower() not in taken)


def _place_path(path: str, project: Path) -> NewAddress:
    if path.startswith("/"):
        return NewAddress(path, path)
    data, below, here = data_url(project), data_url(project, path), Path.cwd() / path
    if "://" in data or Path(below).exists() or not here.exists():
        return NewAddress(below, path)
    relative = here.is_relative_to(data)
    return NewAddress(str(here), str(here.relative_to(data) if relative else here))


def _template(variable: str, address: str) -> str:
    """Name the variable, and the address without what may be secret as its default, so that definitions load."""
    parts = urlsplit(address)
    host = parts.netloc.rpartition("@")[2]
    plain = urlunsplit((parts.scheme, host, parts.path.partition(";")[0], "", ""))
    unquotable = {"'", "\\"} & set(plain)
    return f"{{{{ env.{variable} }}}}" if unquotable else f"{{{{ env('{variable}', '{plain}') }}}}"
