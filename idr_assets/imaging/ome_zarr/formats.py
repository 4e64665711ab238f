"""The versions of OME-Zarr in which outputs are written, and all that differs between them.

What the attributes of an output say is in `output.attributes`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from idr_assets.imaging.ome_zarr.axes import AXES

type Version = Literal["0.4", "0.5"]


@dataclass(frozen=True)
class Format:
    """A version of OME-Zarr, and how it is stored.

    Attributes
    ----------
    version : {"0.4", "0.5"}
        The version of OME-Zarr.
    zarr_format : {2, 3}
        The version of Zarr that it is stored in.
    group, attributes : str
        The document that makes a folder a group, and the one with the group's attributes; they may be the same.
    placed : callable
        Puts OME metadata among the attributes.
    array : mapping
        How chunks are named and encoded, as arguments of `zarr.create_array`.
    checksum : int
        Bytes of the checksum at the end of a chunk; 0 where equal checksums do not mean equal chunks.

    """

    version: Version
    zarr_format: Literal[2, 3]
    group: str
    attributes: str
    placed: Callable[[Mapping[str, Any]], dict[str, Any]]
    array: Mapping[str, Any]
    checksum: int


def _below_one_name(metadata: Mapping[str, Any]) -> dict[str, Any]:
    return {"ome": {"version": "0.5", **metadata}}


def _each_by_its_name(metadata: Mapping[str, Any]) -> dict[str, Any]:
    multiscales = [{"version": "0.4", **multiscale} for multiscale in metadata.get("multiscales", [])]
    return {**metadata, **({"multiscales": multiscales} if multiscales else {})}


FORMATS: Mapping[Version, Format] = {
    "0.5": Format(
        version="0.5",
        zarr_format=3,
        group="zarr.json",
        attributes="zarr.json",
        placed=_below_one_name,
        array={
            "compressors": [{"name": "zstd", "configuration": {"level": 3, "checksum": False}}, {"name": "crc32c"}],
            "dimension_names": tuple(AXES),
        },
        checksum=4,
    ),
    "0.4": Format(
        version="0.4",
        zarr_format=2,
        group=".zgroup",
        attributes=".zattrs",
        placed=_each_by_its_name,
        array={
            # Every reader of Zarr v2 knows zlib; of codecs that end in a checksum, no other one is as common.
            "compressors": {"id": "zlib", "level": 1},
            "chunk_key_encoding": {"name": "v2", "separator": "/"},
        },
        checksum=0,  # Adler-32 finds damage, but stays the same where an object is reshaped about its centre
    ),
}


def format_of(zarr_format: Literal[2, 3]) -> Format:
    """Give the format of an output that is stored in this version of Zarr."""
    return next(each for each in FORMATS.values() if each.zarr_format == zarr_format)
