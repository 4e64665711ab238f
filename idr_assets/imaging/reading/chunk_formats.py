"""How the chunks of an array are encoded, by its metadata: what their bodies are checked for."""

import math
from typing import Any

import zarr

from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.reading.chunk_bodies import CRC32C_BYTES, ENTRY_BYTES, ChunkFormat, ShardFormat
from idr_assets.imaging.store_text import quote_all
from idr_assets.imaging.stores.inflating import COMPRESSORS

LAYOUT = {"bytes", "endian", "transpose"}
"""Codecs that change no length."""

MOST_OF_A_NUMBER = 16
"""Most bytes of one number after filters, some of which change its dtype."""

CHECKSUMS = {"gzip": "CRC-32", "zlib": "Adler-32", "bz2": "CRC-32", "lzma": "CRC-64"}
"""Compressors with a checksum, which others need not have."""

INDEXES = ["bytes"], ["bytes", "crc32c"]
"""Codecs of an index that can be read here; Zarr recommends those with a checksum."""


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
    found = _find(codecs, array.shards or array.chunks, array.dtype.itemsize)
    if found is None:
        message = (
            f"The codecs of {url} are {quote_all(map(_name, codecs))}: how many bytes they make of a chunk is not "
            "known before it is decoded, so none is. Use a copy of the image that is compressed once, and last."
        )
        raise ImageError(message)
    return found


def _find(codecs: list[dict[str, Any]], shape: tuple[int, ...], itemsize: int) -> ChunkFormat | ShardFormat | None:
    """Find the format of chunks of a shape; None unless the compressor is the last codec but for a CRC32C."""
    names = [_name(codec) for codec in codecs if _name(codec) not in LAYOUT]
    if names == ["sharding_indexed"]:
        return _find_shard(codecs[-1]["configuration"], shape, itemsize)
    crc32c = names[-1:] == ["crc32c"] and "name" in codecs[-1]
    names = names[: len(names) - crc32c]
    codec = names.pop() if names and names[-1] in COMPRESSORS else None
    if COMPRESSORS.intersection(names) or "sharding_indexed" in names:
        return None
    most = math.prod(shape) * (MOST_OF_A_NUMBER if names else itemsize)
    return ChunkFormat(codec, most, exact=not names, crc32c=crc32c)


def _find_shard(about: dict[str, Any], shape: tuple[int, ...], itemsize: int) -> ShardFormat | None:
    inner = tuple(about["chunk_shape"])
    index = [_name(codec) for codec in about["index_codecs"]]
    chunk = _find(list(about["codecs"]), inner, itemsize)
    if chunk is None or index not in INDEXES or about["index_codecs"][0]["configuration"].get("endian") == "big":
        return None
    crc32c = "crc32c" in index
    length = math.prod(shape) // math.prod(inner) * ENTRY_BYTES + crc32c * CRC32C_BYTES
    return ShardFormat(length, about.get("index_location") != "start", chunk, crc32c=crc32c)


def _name(codec: dict[str, Any]) -> str:
    """Name a codec as numcodecs does, in either version of Zarr."""
    return str(codec.get("id") or codec["name"]).removeprefix("numcodecs.")


def find_checksum(chunks: ChunkFormat | ShardFormat | None) -> str | None:
    """Name the checksum of the codecs of chunks; None where they have none."""
    while isinstance(chunks, ShardFormat):
        chunks = chunks.chunk
    return "CRC32C" if chunks and chunks.crc32c else CHECKSUMS.get((chunks and chunks.codec) or "")
