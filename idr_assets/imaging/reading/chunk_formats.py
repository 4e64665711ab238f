"""How the chunks of an array are encoded, by its metadata: what their bodies are checked for."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import zarr
from zarr.core.array_spec import ArrayConfig, ArraySpec
from zarr.core.buffer import default_buffer_prototype
from zarr.core.chunk_utils import ChunkTransform, evolve_codecs
from zarr.core.dtype import UInt64
from zarr.core.metadata.v3 import parse_codecs

from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.reading.chunk_bodies import EMPTY, ENTRY_BYTES, ChunkFormat, ShardFormat
from idr_assets.imaging.store_text import quote_all
from idr_assets.imaging.stores.chunk_codec import ChunkCodec
from idr_assets.imaging.stores.inflating import COMPRESSORS

LAYOUT = {"bytes", "endian", "transpose", "shuffle"}
"""Codecs that change no length."""

MOST_GROWTH = 16
"""How many times as many bytes all filters together may make of numbers, of which some change the dtype."""

OWN_CHECKSUMS = {
    "crc32c": "CRC32C",
    "crc32": "CRC-32",
    "adler32": "Adler-32",
    "fletcher32": "Fletcher-32",
    "jenkins_lookup3": "lookup3",
}
"""Codecs that add a checksum and nothing else."""

CHECKSUMS = {"gzip": "CRC-32", "zlib": "Adler-32", "bz2": "CRC-32", "lzma": "CRC-64", **OWN_CHECKSUMS}
"""Codecs with a checksum, which others need not have."""

BYTES = {*COMPRESSORS, *OWN_CHECKSUMS}
"""Codecs after which there are bytes and no numbers."""

type Codec = Mapping[str, Any]


def find_format(url: str, array: zarr.Array[Any]) -> ChunkFormat | ShardFormat:
    """Return how the chunks of an array are encoded.

    Parameters
    ----------
    url : str
        The address of the array as messages show it.
    array : zarr.Array
        The array.

    Raises
    ------
    ImageError
        Where its codecs may make gigabytes of a few bytes, and nothing says it before they do.

    """
    metadata: dict[str, Any] = dict(array.metadata.to_dict())
    if "codecs" not in metadata:  # Zarr v2
        codecs = [*(metadata["filters"] or ()), *filter(None, [metadata["compressor"]])]
    else:
        codecs = list(metadata["codecs"])
    found = _find(list(map(_describe, codecs)), array.shards or array.chunks, array.dtype.itemsize)
    if found is None:
        names = quote_all(_describe(codec)["id"] for codec in codecs)
        message = (
            f"The codecs of {url} are {names}: how many bytes they make of a chunk is not bounded, so none is decoded. "
            "Use a copy of the image with fewer filters."
        )
        raise ImageError(message)
    return found


def _describe(codec: Codec) -> Codec:
    """Describe a codec as numcodecs does, in either version of Zarr."""
    named = codec if "id" in codec else codec.get("configuration") or {}
    return {**named, "id": str(codec.get("id") or codec["name"]).removeprefix("numcodecs.")}


def _find(
    codecs: list[Codec], shape: tuple[int, ...], itemsize: int, *, exact: bool = True
) -> ChunkFormat | ShardFormat | None:
    """Find the format of chunks of a shape, of numbers of at most this size; None if nothing bounds them encoded."""
    names = [codec["id"] for codec in codecs]
    first = next((at for at, name in enumerate(names) if name in BYTES or name == "sharding_indexed"), len(names))
    filters = [codec for codec in codecs[:first] if codec["id"] not in LAYOUT]
    if math.prod(map(_growth, codecs)) > MOST_GROWTH:
        return None
    itemsize *= math.prod(map(_growth, filters))
    later = codecs[first:]
    shard = None
    if later and later[0]["id"] == "sharding_indexed":
        shard = _find_shard(later.pop(0), shape, itemsize, exact=exact and not filters)
        if not (shard and later):
            return shard
    # Filters that pack bits add a byte to them.
    nbytes = shard.most if shard else math.prod(shape) * itemsize + len(filters)
    encoding = tuple((codec, _growth(codec)) for codec in later)
    return ChunkFormat(encoding, nbytes, exact=exact and not (filters or shard), shard=shard)


def _growth(codec: Codec) -> int:
    """Return how many times as many bytes a codec makes of numbers at most, which it turns into those of a dtype."""
    given, made = (
        next((np.dtype(codec[name]).itemsize for name in names if codec.get(name)), None)
        for names in (("dtype", "decode_dtype"), ("astype", "encode_dtype", "data_type"))
    )
    return max(1, math.ceil(made / (given or 1))) if made else 1


def _find_shard(about: Codec, shape: tuple[int, ...], itemsize: int, *, exact: bool) -> ShardFormat | None:
    inner = tuple(about["chunk_shape"])
    grid = (*(length // part for length, part in zip(shape, inner, strict=True)), 2)
    spec = ArraySpec(grid, UInt64(), EMPTY, ArrayConfig.from_dict({}), default_buffer_prototype())
    codecs, length = evolve_codecs(parse_codecs(about["index_codecs"]), spec), math.prod(grid[:-1]) * ENTRY_BYTES
    for codec in codecs:
        length = codec.compute_encoded_size(length, spec)
    index = ChunkCodec(ChunkTransform(codecs=codecs), spec)
    chunk = _find(list(map(_describe, about["codecs"])), inner, itemsize, exact=exact)
    return ShardFormat(length, about.get("index_location") != "start", chunk, index) if chunk else None


def find_checksum(chunks: ChunkFormat | ShardFormat | None) -> str | None:
    """Name the checksum of the codecs of chunks; None where they have none."""
    if isinstance(chunks, ShardFormat):
        return find_checksum(chunks.chunk)
    names = [codec["id"] for codec, _ in reversed(chunks.codecs)] if chunks else []
    found = next((CHECKSUMS[name] for name in names if name in CHECKSUMS), None)
    return found or (find_checksum(chunks.shard) if chunks and chunks.shard else None)
