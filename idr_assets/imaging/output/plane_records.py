"""Records of planes beside their provenance: what was found in each plane, and the checksum of what was stored.

A record proves that a plane of the output is the one that it tells of: the plane's chunks have its checksum, and each
chunk is what its own checksum says. Then the plane was made from the source and by the recipe of the record, whoever
asks, and whatever became of the run that made it. A plane that is made again otherwise no longer fits its old record.

There is a document for the planes of each block, the attributes of a group below that of their provenance, so that the
output stays a Zarr hierarchy. It is written when the block has been read back.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import batched
from typing import Any

import google_crc32c

from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.output.files import read_ends
from idr_assets.imaging.output.nodes import list_names, read_attributes, write_group
from idr_assets.imaging.output.output_image import OutputImage
from idr_assets.imaging.output.provenance import Provenance, add_provenance, read_provenance, record_group
from idr_assets.imaging.output.read_back import join_checksums, read_checksums
from idr_assets.imaging.planes import Plane


@dataclass(frozen=True)
class PlaneRecord:
    """How one plane was made, and what was found in it.

    Attributes
    ----------
    provenance : Provenance
        Source and recipe.
    recipe_version : str
        Hash of the recipe, see `Recipe.version`.
    found : mapping
        What `PlaneSummary.to_json` gives, the checksum among it.

    """

    provenance: Provenance
    recipe_version: str
    found: Mapping[str, Any]


def write_record(
    output: OutputImage, provenance: Provenance, recipe_version: str, found: Mapping[Plane, Mapping[str, Any]]
) -> None:
    """Store records of planes that are stored; `found` is what `PlaneSummary.to_json` gives.

    If the disk is full, planes go without: they count all the same, and are made again should Dagster lose them.
    """
    if not found:
        return
    indices = [[plane.t, plane.c, plane.z] for plane in found]
    about = {"recipe_version": recipe_version, "indices": indices, "planes": list(found.values())}
    name = hashlib.sha256(json.dumps(indices).encode()).hexdigest()[:16]  # the next record of these planes replaces it
    path, attributes = f"{record_group(output.name, provenance)}/{name}", {"idr_assets": about}
    with suppress(ImageError):
        add_provenance(output, provenance)  # again: by it, what is left of a folder that was removed is known as ours
        write_group(output.url, path, attributes, output.format)


def read_records(output: OutputImage) -> Iterator[tuple[Plane, PlaneRecord]]:
    """Yield the records of planes; a plane that was made in several ways has several."""
    for provenance in read_provenance(output.url, output.name):
        for about in read_documents(output, record_group(output.name, provenance)):
            with suppress(ValueError, KeyError, TypeError):  # damaged, so that it proves nothing
                version, each = about["recipe_version"], zip(about["indices"], about["planes"], strict=True)
                yield from [(Plane(*indices), PlaneRecord(provenance, version, found)) for indices, found in each]


def read_present_provenance(output: OutputImage) -> list[Provenance]:
    """Read the provenance of planes as they are stored now; one without any record, of an earlier version, is kept."""
    records = [(record_group(output.name, it.provenance), plane, it.found) for plane, it in read_records(output)]
    planes = [plane for _, plane, _ in records]
    checksums = read_checksums(output, planes)
    present = {name for (name, _, found), now in zip(records, checksums, strict=True) if found.get("checksum") == now}
    gone = {name for name, _, _ in records} - present
    return [it for it in read_provenance(output.url, output.name) if record_group(output.name, it) not in gone]


def read_proven_checksums(output: OutputImage, planes: Iterable[Plane]) -> list[str | None]:
    """Read the checksum of each plane as `read_checksums` does, from whole chunks that are what their own says.

    It is None if a chunk is missing or damaged.
    """
    length = output.format.checksum
    keys = [key for plane in planes for key in output.chunk_keys(plane)]
    bodies = batched(read_ends(output.url, keys, 0), output.chunks_of_plane)
    return [join_checksums([_end(body, length) for body in plane], hashed=not length) for plane in bodies]


def _end(body: bytes | None, length: int) -> bytes | None:
    """Return the end of an intact chunk that has a checksum there, or the chunk if it has none."""
    if body is None or not length:
        return body
    expected = google_crc32c.value(body[:-length]).to_bytes(length, "little")
    return expected if body[-length:] == expected else None


def read_documents(output: OutputImage, path: str) -> Iterator[dict[str, Any]]:
    """Yield what the groups below a group of the output say for themselves; those that are damaged are left out."""
    url = f"{output.url}/{path}"
    documents = [f"{name}/{output.format.attributes}" for name in filter(str.isalnum, list_names(url))]
    for content in read_ends(url, documents, 0):
        if isinstance(about := read_attributes(content or b"").get("idr_assets"), dict):
            yield about
