"""Explain a fault of reading by the plane that it costs: a chunk that is missing, empty or cannot be decoded."""

from typing import TYPE_CHECKING

from zarr.errors import ChunkNotFoundError

from idr_assets.imaging.errors import ImageError, MissingChunkError, join_address, mask
from idr_assets.imaging.ome_zarr.axes import AXES
from idr_assets.imaging.planes import Block, Plane
from idr_assets.imaging.reading.missing_chunks import ONE_PLANE, advise, check_refusals, find_places
from idr_assets.imaging.store_text import cite
from idr_assets.imaging.stores.chunk_keys import key_below

if TYPE_CHECKING:
    from idr_assets.imaging.reading.level import Level


def explain_fault(level: "Level", block: Block, error: Exception) -> ImageError:
    """Explain what reading a block raised; `RefusedError` where the store refuses all chunks."""
    if isinstance(error, ChunkNotFoundError):
        check_refusals(level.array)
        return _explain_missing(level, block, str(error))
    known = error.subgroup(ImageError) if isinstance(error, ExceptionGroup) else None  # a shard's faults are a group
    if known and isinstance(known.exceptions[0], ImageError):
        return known.exceptions[0]
    plane = block.planes()[0]
    return ImageError(
        f"A chunk of {plane}, {_address(level, level.chunk_keys(plane)[0])} or one beside it in the plane, "
        f"cannot be decoded ({type(error).__name__}: {cite(error)}). Tell the store's owner: {ONE_PLANE}"
    )


def _explain_missing(level: "Level", block: Block, found: str) -> MissingChunkError:
    """Name the first plane without a chunk; `found` is Zarr's message, which alone has the keys that are missing."""
    keys = [(plane, key) for plane in block.planes() for key in level.chunk_keys(plane)]
    plane, key = next(((plane, key) for plane, key in keys if f"'{key}'" in found), keys[0])
    refusal = level.store.chunk_refusals.get(key_below(level.path, key))
    answer = f"The store sends other chunks; for this one it answers: {refusal.answer}. " if refusal else ""
    error = MissingChunkError(
        f"The chunk {_address(level, key)} is missing, so {plane} has no pixels and cannot be segmented. "
        f"{answer}{advise(level.array)}"
    )
    error.places = find_places(found, level.geometry.axes)
    return error


def explain_empty(level: "Level", pixel: tuple[int, ...]) -> MissingChunkError:
    """Name the shard and the plane of a pixel whose chunk is empty; `pixel` has an index for each stored axis."""
    shard = level.array.shards or level.array.chunks
    key = level.array.metadata.encode_chunk_key(tuple(at // step for at, step in zip(pixel, shard, strict=True)))
    t, c, z, y, x = (dict(zip(level.geometry.axes, pixel, strict=True)).get(axis, 0) for axis in AXES)
    return MissingChunkError(
        f"The shard {_address(level, key)} marks the chunk of {Plane(t, c, z)} at y {y} x {x} as empty: the "
        f"plane has no pixels there and cannot be segmented. {advise(level.array)}"
    )


def _address(level: "Level", key: str) -> str:
    """Give the address of a chunk without what may be secret in it."""
    return mask(join_address(level.address, key_below(level.path, key)))
