"""Zarr's metadata documents: whether one is whole, and whether it declares numbers that can be decoded safely.

The bodies of chunks are checked in `chunk_bodies`.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from idr_assets.imaging.errors import ForeignBodyError, ImageError, PageError, split_query
from idr_assets.imaging.store_text import cite, quote, show_address
from idr_assets.imaging.stores.answers import check_page

DOCUMENTS = ("zarr.json", ".zarray", ".zattrs", ".zgroup", ".zmetadata")
"""Names of Zarr's metadata documents; every other key is a chunk's."""

WITH_FORMAT = ("zarr.json", ".zarray", ".zgroup")
"""Documents that say their version of Zarr."""

NUMCODECS = {
    *("blosc", "zstd", "gzip", "zlib", "lz4", "bz2", "lzma"),
    *("shuffle", "delta", "fixedscaleoffset", "quantize", "bitround", "astype", "packbits"),
    *("crc32", "crc32c", "adler32", "fletcher32", "jenkins_lookup3"),
}
"""Codecs of numcodecs that turn numbers into numbers. Others make objects: `pickle` runs what the chunk says."""

CODECS = {
    *("bytes", "endian", "transpose", "sharding_indexed", "cast_value", "scale_offset"),
    *NUMCODECS,
    *(f"numcodecs.{name}" for name in NUMCODECS),
}
"""Every codec that an image may declare: those of Zarr v3, and of numcodecs in v2 and v3."""

ZARR_V2 = 2

MOST_VALUES = 1_000_000
"""Most values of a document; those of an image have some hundreds."""

CODEC_DTYPES = "dtype", "astype", "encode_dtype", "decode_dtype"
"""Parameters of codecs that are dtypes, in any spelling that numpy knows."""

NUMBERS = re.compile(r"[<>|=][biuf]\d+|bool|u?int(8|16|32|64)|float(16|32|64)")
"""The dtypes of pixels, as Zarr v2 and v3 write them."""


def read_document(url: str, body: bytes) -> bytes:
    """Check the body of the metadata document at `url`, and return it in a form that Zarr reads.

    Raises
    ------
    PageError
        Where it is not a JSON object, or not a document of Zarr.
    ImageError
        Where an array's chunks are not numbers, or have a codec that pixels do not need: decoding them might run code
        that the store sends.

    """
    document = _parse(body)
    name = split_query(url)[0].rpartition("/")[2]
    if name in WITH_FORMAT and "zarr_format" not in document:
        message = "it is not a document of Zarr, for it has no `zarr_format`"
        raise PageError(message)
    if name in {".zarray", "zarr.json"}:
        _check_codecs(show_address(url), document)
        _check_dtype(show_address(url), document)
        if (mended := _mend(document)) != document:
            return json.dumps(mended).encode()
    return body


def _mend(document: dict[str, Any]) -> dict[str, Any]:
    """Correct what writers get wrong where it is clear what they mean.

    An empty list of filters means no filters, and a key that is null or absent has its default. Names of dimensions are
    left out unless there is one for each dimension: the axes of the image say what they are.
    """
    if document.get("zarr_format") == ZARR_V2 and "shape" in document:
        defaults = {"order": "C", "dimension_separator": ".", "fill_value": None, "compressor": None}
        known = {key: value for key, value in document.items() if key not in defaults or value is not None}
        return defaults | known | {"filters": document.get("filters") or None}
    names, shape = document.get("dimension_names"), document.get("shape")
    if names is None or (isinstance(names, list) and isinstance(shape, list) and len(names) == len(shape)):
        return document
    return {key: value for key, value in document.items() if key != "dimension_names"}


def _parse(body: bytes) -> dict[str, Any]:
    if (values := body.count(b",") + 1) > MOST_VALUES:  # of which each takes up to 250 bytes
        message = f"it has {values} values, at most {MOST_VALUES} are read"
        raise ForeignBodyError(message)
    try:
        document = json.loads(body)
    except ValueError as error:
        check_page(body)
        message = f"it is not JSON ({cite(error)})"
        raise PageError(message) from error
    if not isinstance(document, dict):
        message = f"it is a JSON {type(document).__name__}, not an object"
        raise PageError(message)
    return document


def _check_codecs(url: str, document: dict[str, Any]) -> None:
    declared = _codecs([document.get(name) for name in ("filters", "compressor", "codecs")])
    if unknown := [name for name in declared if name not in CODECS]:
        message = (
            f"{url} declares the codec {quote(unknown[0])}, which pixels do not need and which may run code that "
            "the store sends: no chunk is decoded. Use a copy of the image that is compressed with blosc, zstd or gzip."
        )
        raise ImageError(message)


def _check_dtype(url: str, document: dict[str, Any]) -> None:
    declared = [document[name] for name in ("dtype", "data_type") if name in document]
    others = _codec_dtypes([document.get(name) for name in ("filters", "compressor", "codecs")])
    wrong = [dtype for dtype in declared if not NUMBERS.fullmatch(str(dtype))]
    if wrong := wrong or [dtype for dtype in others if not _is_number(dtype)]:
        message = (
            f"{url} declares the dtype {quote(wrong[0])}, which is not a real number: no chunk is decoded. Use a copy "
            "of the image that holds integers or floats."
        )
        raise ImageError(message)


def _codec_dtypes(declared: Any) -> Iterator[Any]:  # noqa: ANN401  whatever JSON holds
    """List the dtypes that codecs turn numbers into and from, also those inside shards."""
    if isinstance(declared, dict):
        yield from (declared[name] for name in CODEC_DTYPES if name in declared)
    for each in declared.values() if isinstance(declared, dict) else declared if isinstance(declared, list) else ():
        yield from _codec_dtypes(each)


def _is_number(dtype: Any) -> bool:  # noqa: ANN401  whatever JSON holds
    try:
        return np.dtype(dtype).kind in "biuf"
    except (TypeError, ValueError, SyntaxError):
        return False


def _codecs(declared: Any) -> Iterator[str]:  # noqa: ANN401  whatever JSON holds
    """List the names of declared codecs, also those inside shards."""
    match declared:
        case None:
            return
        case list():
            for codec in declared:
                yield from _codecs(codec)
        case dict():
            yield from [str(declared[key]) for key in ("id", "name") if key in declared] or ["None"]
            if isinstance(configuration := declared.get("configuration"), dict):
                yield from _codecs([configuration.get(name) for name in ("codecs", "index_codecs")])
        case _:
            yield str(declared)
