"""Open the fields of a plate: the metadata of all are read at once, and those that are the same are understood once."""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import batched
from typing import Any

import zarr
from zarr.core.buffer import default_buffer_prototype
from zarr.core.sync import sync
from zarr.storage import StorePath

from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.reading.chunk_store import ChunkStore
from idr_assets.imaging.reading.file_info import read_file_infos
from idr_assets.imaging.reading.fingerprint import Fingerprint, describe_level, find_document, fingerprint
from idr_assets.imaging.reading.level import Level
from idr_assets.imaging.reading.source import Source

DOCUMENTS = {2: (".zattrs", ".zarray"), 3: ("zarr.json", "zarr.json")}
"""Documents with the metadata of an image and of a level, by the version of Zarr."""


@dataclass(frozen=True)
class OpenField:
    """A field that was opened: its level, what identified it then, and how its pixels are laid out."""

    level: Level
    fingerprint: Fingerprint
    layout: str


type Opened = OpenField | str
"""A field, or why it cannot be read."""


def open_fields(
    store: ChunkStore, folders: Sequence[str], source: Callable[[str], Source], version: int
) -> list[Opened]:
    """Open the fields of a plate in folders of its store, written in this version of Zarr.

    `source` gives the source of a folder. Fields with the same metadata are opened as one: two documents are read for
    each, and the store is asked once what identifies it.
    """
    level = source("").level
    names = [f"{folder}/{name}" for folder in folders for name in _names(level, version)]
    documents = [
        (folder, _essence(*pair)) for folder, pair in zip(folders, batched(sync(_read(store, names)), 2), strict=True)
    ]
    known: dict[str, Level | str] = {}
    levels: list[Level | str] = []
    for folder, essence in documents:
        if essence is None:
            levels.append(_open(source(folder)))
            continue
        like = known.setdefault(essence, _open(source(folder))) if essence not in known else known[essence]
        levels.append(like if isinstance(like, str) else _move(like, source(folder)))
    return _identify(levels, source(""))


def _names(level: str, version: int) -> tuple[str, str]:
    of_image, of_array = DOCUMENTS[version]
    return of_image, f"{level}/{of_array}"


async def _read(store: ChunkStore, keys: Sequence[str]) -> list[Any]:
    asked = (store.get(key, default_buffer_prototype()) for key in keys)
    return await asyncio.gather(*asked, return_exceptions=True)


def _essence(image: Any, array: Any) -> str | None:  # noqa: ANN401  a buffer, an error or None
    """Return what two documents say of pixels, which fields share; None if one cannot be read."""
    try:
        about, layout = (json.loads(document.to_bytes()) for document in (image, array))
        attributes = about.get("attributes", about)
        ome = {key: value for key, value in attributes.get("ome", attributes).items() if key != "omero"}
        multiscales = [{**it, "name": None, "metadata": None} for it in ome["multiscales"]]
        return json.dumps([ome | {"multiscales": multiscales}, layout | {"attributes": None}], sort_keys=True)
    except (AttributeError, KeyError, TypeError, ValueError):
        return None


def _open(source: Source) -> Level | str:
    try:
        level = source.open()
        source.check(level)
    except ImageError as error:
        return str(error)
    if level.chunks[0] != 1:
        return f"chunks of {level.url} hold {level.chunks[0]} timepoints, and those of a plate need one each"
    if "t" not in level.geometry.axes and (level.array.shards or "transpose" in str(level.array.metadata.to_dict())):
        return f"{level.url} has no axis of time and is sharded or transposed, which is not read in a plate"
    return level


def _move(level: Level, source: Source) -> Level:
    """Return the level of another field with the same metadata."""
    store = ChunkStore(level.store._store, source.address, source.patience)  # noqa: SLF001  not read from: for its address
    array = zarr.AsyncArray(level.array.metadata, StorePath(store, level.path), level.array.async_array.config)
    return replace(level, address=source.address, array=zarr.Array(array))


def _identify(levels: Sequence[Level | str], source: Source) -> list[Opened]:
    """Ask the store, all at once, what identifies each level."""
    places = [find_document(it) for it in levels if isinstance(it, Level)]
    infos = iter(read_file_infos(places, source.storage_options, source.patience))
    return [it if isinstance(it, str) else _identified(it, next(infos)) for it in levels]


def _identified(level: Level, info: Mapping[str, Any] | ImageError | None) -> Opened:
    if isinstance(info, ImageError):
        return str(info)
    return OpenField(level, fingerprint(level, info or {}), describe_level(level, attributes=None))
