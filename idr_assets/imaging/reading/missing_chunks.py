"""Chunks that do not exist: whether the store refuses or lacks them, what they may stand for, and what to write."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from copy import copy
from itertools import product
from math import ceil
from typing import Any

import zarr
from zarr.abc.store import SuffixByteRequest
from zarr.core.buffer import default_buffer_prototype
from zarr.core.sync import sync

from idr_assets.imaging.errors import MissingChunkError
from idr_assets.imaging.stores.chunk_keys import key_below

ZEROS = "write `missing_chunks: zeros` below `reading`"

ONE_PLANE = (
    "the other planes of the run are made and stay. This one remains failed, and `idr-assets resume` and the schedule "
    "try it again, until the store has the chunk; or narrow `window` if the plane lies at its edge."
)
"""What a plane that cannot be read costs, and what becomes of it."""

DOCUMENT = {2: ".zarray", 3: "zarr.json"}
"""The metadata document of an array, by the version of Zarr."""

WRITERS = {"bioformats2raw": "bioformats2raw", "bio-formats": "bioformats2raw", "loci.common": "bioformats2raw"}
"""Words by which metadata name a writer that leaves out chunks of zeros, in lower case, and its name."""


def advise(array: zarr.Array[Any]) -> str:
    """Say what to write in the YAML if a chunk of an array is missing."""
    if array.fill_value:  # the fill value of v2 may be null, which is zero
        return (
            f"Missing chunks of this image stand for {array.fill_value}, its fill value, and not for zeros: use a copy "
            f"that has all chunks. Otherwise {ONE_PLANE}"
        )
    sparse = f"If missing chunks of this image stand for zeros, which many writers leave out, {ZEROS}"
    return f"{sparse}; otherwise {ONE_PLANE}"


def check_refusals(array: zarr.Array[Any]) -> None:
    """Raise the refusal of a chunk, unless the store sends other chunks: then the chunk does not exist.

    Raises
    ------
    RefusedError
        Where the store sends no chunk of the array, or no longer its document, as when a token has expired: the refused
        chunks may exist.

    """
    store: Any = array.store_path.store
    refusals = list(store.chunk_refusals.values())
    if refusals and not (_sends_chunks(array) and _sends_document(array)):
        raise copy(refusals[0])  # with no traceback, which would hold pixels
    if array.config.read_missing_chunks:
        store.chunk_refusals.clear()


def _sends_chunks(array: zarr.Array[Any]) -> bool:
    """Return whether the store sends any chunk of an array; ask for some unless it already sent one."""
    store: Any = array.store_path.store
    if not store.chunks_answer:
        end = SuffixByteRequest(1) if array.shards else None
        keys = [key_below(array.path, array.metadata.encode_chunk_key(at)) for at in _spread(array)]
        sync(_ask(store, keys, end))
    return bool(store.chunks_answer)


def _sends_document(array: zarr.Array[Any]) -> bool:
    store: Any = array.store_path.store
    own = f"{array.path}/{DOCUMENT[array.metadata.zarr_format]}"
    key = own if array.path else store.documents.first_sent()
    return sync(store.get(key, default_buffer_prototype())) is not None


async def _ask(store: Any, keys: Sequence[str], part: SuffixByteRequest | None) -> None:  # noqa: ANN401  a `ChunkStore`
    asked = (store.get(key, default_buffer_prototype(), part) for key in keys)
    await asyncio.gather(*asked, return_exceptions=True)


def _spread(array: zarr.Array[Any]) -> list[tuple[int, ...]]:
    """List the positions of up to 27 chunks: first, middle and last of each plane axis, in three planes."""
    grid = [ceil(length / step) for length, step in zip(array.shape, array.shards or array.chunks, strict=True)]
    ends = [(0, count // 2, count - 1) for count in grid]
    planes = zip(*ends[:-2], strict=True) if ends[:-2] else [()]
    return sorted({(*plane, *within) for plane, within in product(planes, product(*ends[-2:]))})


def find_places(found: str, axes: Sequence[str]) -> frozenset[tuple[int, int]]:
    """Find the places (y, x) in the grid of chunks that Zarr's message names as missing."""
    numbers = (re.findall(r"\b\d+\b", position) for position in re.findall(r"grid position (.*)", found))
    positions = [dict(zip(axes, map(int, each), strict=True)) for each in numbers]
    return frozenset((at["y"], at["x"]) for at in positions)


def explain_sparse(missing: Sequence[MissingChunkError], attributes: Mapping[str, Any], array: zarr.Array[Any]) -> str:
    """Say why an image seems to be sparse by intent, if anything shows it, and the line of YAML for it.

    Parameters
    ----------
    missing : sequence of MissingChunkError
        One for each plane that was looked at.
    attributes : mapping
        The attributes of the image's group.
    array : zarr.Array
        The array of the level.

    """
    writer, places = find_writer(attributes), [error.places for error in missing]
    reasons = [f"{writer} wrote it, which leaves out chunks of zeros"] if writer else []
    if len(places) > 1 and places[0] and len(set(places)) == 1:
        reasons.append(f"all {len(places)} planes that were looked at lack the same chunks")
    if array.fill_value or not reasons:
        return str(missing[0])
    first, _, _ = str(missing[0]).rpartition(advise(array))
    return f"{first}The image seems to be sparse by intent, for {' and '.join(reasons)}: {ZEROS}."


def find_writer(attributes: Mapping[str, Any]) -> str | None:
    """Name the writer of an image, by its attributes, if this writer leaves out chunks of zeros."""
    ome = attributes.get("ome", attributes)
    multiscales = ome.get("multiscales") if isinstance(ome, Mapping) else None
    first = multiscales[0] if isinstance(multiscales, list) and multiscales else None
    said = str([ome.get("_creator"), first.get("metadata")] if isinstance(first, Mapping) else "").lower()
    return next((writer for sign, writer in WRITERS.items() if sign in said), None)
