"""Find and create groups and arrays of the output, once, whichever process is first. Documents are written whole."""

import json
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import zarr
from zarr.abc.store import Store
from zarr.errors import ContainsArrayError, ContainsGroupError, GroupNotFoundError

from idr_assets.imaging.ome_zarr.formats import FORMATS, Format
from idr_assets.imaging.output.disk_files import retry_write
from idr_assets.imaging.output.files import write_file
from idr_assets.imaging.output.store_faults import explain_reads, explain_writes
from idr_assets.imaging.stores.by_address import open_filesystem, open_store


def find_group(url: str, path: str = "") -> zarr.Group | None:
    """Open the group `path` of the store at `url` for reading, in any format; None if it does not exist.

    Raises `ImageError` if it is damaged or cannot be read.
    """
    try:
        with explain_reads(url, path):
            return zarr.open_group(open_store(url), path=path, mode="r")
    except (GroupNotFoundError, FileNotFoundError):
        return None


def create_group(url: str, path: str, attributes: dict[str, Any], written_as: Format) -> None:
    """Create the group `path` with its attributes, unless it exists; raise `ImageError` if it cannot be written."""
    if written_as.attributes != written_as.group and find_group(url, path) is None:
        # First, so that a writer that is killed in between leaves no group without its attributes.
        content = json.dumps(attributes, indent=zarr.config.get("json_indent")).encode()
        write_file("/".join(filter(None, [url, path, written_as.attributes])), content)
    create = partial(zarr.create_group, path=path, attributes=attributes, zarr_format=written_as.zarr_format)
    create_node(url, create)


def write_group(url: str, path: str, attributes: dict[str, Any], written_as: Format) -> None:
    """Write the group `path` and its attributes, in place of earlier ones; raise `ImageError` if it cannot."""
    node: dict[str, Any] = {"zarr_format": written_as.zarr_format}
    documents = {written_as.attributes: attributes, written_as.group: node}
    if written_as.attributes == written_as.group:
        documents = {written_as.group: node | {"node_type": "group", "attributes": attributes}}
    for name, document in documents.items():
        content = json.dumps(document, indent=zarr.config.get("json_indent")).encode()
        write_file("/".join(filter(None, [url, path, name])), content)


def create_node(url: str, create: Callable[[Store], object]) -> None:
    """Call `create` unless its node exists; raise `ImageError` if it cannot be written."""
    store = open_store(url)

    def once() -> None:
        with suppress(ContainsArrayError, ContainsGroupError):
            create(store)

    with explain_writes(url):
        retry_write(once)


def read_attributes(document: bytes) -> dict[str, Any]:
    """Return the attributes in a document of a group, in either format; none if it is damaged or has none."""
    try:
        content = json.loads(document)
    except ValueError:
        return {}
    if not isinstance(content, dict):
        return {}
    attributes = content.get("attributes") if "node_type" in content else content
    return attributes if isinstance(attributes, dict) and attributes.keys() != {"zarr_format"} else {}


def list_names(url: str) -> list[str]:
    """List the names in a folder of a store; none if it does not exist. Globs of fsspec take `[1]` for a pattern."""
    filesystem, path = open_filesystem(url)
    filesystem.invalidate_cache(path)
    with suppress(FileNotFoundError, NotADirectoryError):
        return sorted(found.rstrip("/").rpartition("/")[2] for found in filesystem.ls(path, detail=False))
    return []


def list_label_groups(url: str) -> list[str]:
    """Return the names of the label groups of the output at `url`, in alphabetical order."""
    filesystem, root = open_filesystem(f"{url}/labels")
    filesystem.invalidate_cache(root)
    folders = filesystem.ls(root, detail=False)
    groups = {folder for folder in folders for each in FORMATS.values() if filesystem.exists(f"{folder}/{each.group}")}
    return sorted(folder.rpartition("/")[2] for folder in groups)
