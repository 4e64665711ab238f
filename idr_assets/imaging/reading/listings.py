"""What a folder, on a disk or on S3, or a web page at an address lists: images, of which a person can choose one."""

import re
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from functools import partial
from html import unescape
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

from fsspec.core import split_protocol
from zarr.core.sync import sync

from idr_assets.imaging.errors import ImageError, PageError, is_web, mask
from idr_assets.imaging.reading.documents import DOCUMENTS
from idr_assets.imaging.reading.retries import Patience, ask_patiently
from idr_assets.imaging.store_text import show_address
from idr_assets.imaging.stores.answers import check_page, expect
from idr_assets.imaging.stores.by_address import is_local, is_s3, open_source

MOST_LISTED = 3
"""Images whose addresses a message spells out."""

MOST_OF_A_PAGE = 2**20

MOST_OF_S3 = 10
"""Folders on S3 in which metadata are looked for."""

LINK = re.compile(r"""href\s*=\s*["']?([^"'\s<>]+)""", re.IGNORECASE)
IMAGE = re.compile(r"\.(zarr|ozx|zarr\.zip)/?$", re.IGNORECASE)


def describe_listing(
    url: str, storage_options: Mapping[str, Any] | None, patience: Patience, *, group: bool
) -> str | None:
    """Say that a folder or a web page is at an address, and which images it lists; None if neither is there.

    None too for the page of a Zarr `group` that lists no images.
    """
    if is_local(url):
        images = _images_in(Path(split_protocol(url)[1]))
        return _describe(url, "a folder", map(str, images)) if images else None
    if is_s3(url):
        found = _ask(url, storage_options, patience, _list_objects)
        return _describe(url, "a folder", found) if found else None
    page = _read_page(url, storage_options, patience) if is_web(url) else None
    linked = list(_links(url, page or ""))
    return None if page is None or (group and not linked) else _describe(url, "a web page", linked)


def _describe(url: str, what: str, images: Iterable[str]) -> str:
    found = [show_address(image) for image in islice(images, MOST_LISTED)]
    listed = f"one of those that it lists: {', '.join(found)}" if found else "the image, which often ends in .zarr"
    return f"{mask(url)} is {what}, not an OME-Zarr image: nothing is read. Write the address of {listed}."


def _images_in(folder: Path) -> list[Path]:
    """List the images in a folder that belongs to none itself."""
    paths = sorted(folder.iterdir()) if folder.is_dir() and not _is_zarr(folder) else []
    return [path for path in paths if _is_zarr(path) or (path.is_file() and IMAGE.search(path.name))]


def _is_zarr(folder: Path) -> bool:
    return any((folder / document).is_file() for document in DOCUMENTS)


def _links(url: str, page: str) -> Iterator[str]:
    """Find the images of the same server to which a page links."""
    base = url if url.endswith("/") or "." in url.rpartition("/")[2] else f"{url}/"
    for link in dict.fromkeys(urljoin(base, unescape(found)) for found in LINK.findall(page)):
        if is_web(link) and IMAGE.search(urlsplit(link).path):
            yield link.rstrip("/")


def _read_page(url: str, storage_options: Mapping[str, Any] | None, patience: Patience) -> str | None:
    """Read the web page at an address; None where something else is there, or nothing that can be read."""
    body = _ask(url, storage_options, patience, _read)
    try:
        check_page(body or b"")
    except PageError:
        return str(body, errors="replace")
    return None


def _ask(
    url: str,
    storage_options: Mapping[str, Any] | None,
    patience: Patience,
    ask: Callable[[Any, str], Coroutine[Any, Any, Any]],
) -> Any:  # noqa: ANN401  what `ask` returns
    """Ask a store something about an address; None where nothing can be read."""
    try:
        filesystem, path = open_source(url, storage_options)
        return sync(ask_patiently(url, patience, partial(ask, filesystem, path)))
    except (ImageError, OSError, RuntimeError, ValueError):
        return None


async def _read(filesystem: Any, path: str) -> Any:  # noqa: ANN401  any of fsspec's
    with expect(MOST_OF_A_PAGE):
        return await filesystem._cat_file(path)  # noqa: SLF001  fsspec's name of the asynchronous method


async def _list_objects(filesystem: Any, path: str) -> list[str]:  # noqa: ANN401  of s3fs
    """List the images in a folder on S3: by their names, or else the first folders with metadata in them."""
    names = sorted(await filesystem._ls(path, detail=False))  # noqa: SLF001  as above
    images = [name for name in names if IMAGE.search(name)]
    if not images:
        asked = [(name, f"{name}/{document}") for name in names[:MOST_OF_S3] for document in DOCUMENTS]
        images = [*dict.fromkeys([name for name, key in asked if await filesystem._exists(key)])]  # noqa: SLF001
    return [f"s3://{name}" for name in images]
