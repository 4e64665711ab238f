"""Recognize what is left of an output that was damaged from outside, and remove of it what cannot be used.

Someone removes the folder while a run writes, or a document is removed or emptied. What lies there is ours if

- it is a folder, no link, in the format of the output, and has nothing in it but what an output has: documents, `0`,
  `labels`, `origins`, and partial files of them, none of which is a link;
- and its root says that it is ours, or the root has no document, one that is no JSON, or a group without attributes, as
  Zarr makes it for a group below. Then a record of provenance below a label group must prove it: other tools write
  none. All records of the output's own label group must be of its level.

Where only groups without attributes are left, or no document at all, it is ours if every other file is a chunk of
pixels, labels or origins, and if Dagster knows planes of the image.

Anything else is not ours: nothing of it is removed.
"""

import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from idr_assets.imaging.ome_zarr.formats import Format
from idr_assets.imaging.output.files import read_ends, remove_file
from idr_assets.imaging.output.nodes import read_attributes
from idr_assets.imaging.output.provenance import list_provenance, read_provenance
from idr_assets.imaging.planes import Plane
from idr_assets.imaging.stores.by_address import is_s3, open_filesystem

PARTS = {"0", "labels", "origins"}
"""Arrays and groups at the root of an output."""

ARRAY = {2: ".zarray", 3: "zarr.json"}
"""The document of an array in each version of Zarr."""

CHUNK = re.compile(r"/(?:c/)?(\d+)/(\d+)/(\d+)/\d+/\d+$")
"""The end of the path of a chunk of pixels or labels."""

OWN_CHUNK = re.compile(r"(?:0|labels/[^/]+/0|origins)(?:/c)?(?:/\d+){5}")
"""The path of a chunk below an output."""

GROUP = re.compile(r"/(?:zarr\.json|\.zgroup|\.zattrs|.*\.partial)$")
"""The end of the path of a group's document, or of a partial file."""


def find_damage(
    url: str, name: str, level: str, written_as: Format, is_known: Callable[[], bool] = lambda: False
) -> list[str]:
    """List the documents of an output with label group `name` that are damaged, below `url`; none if it is not ours.

    A document of the root that is missing, though there are others or chunks, is one of them. So is that of pixels or
    labels which are gone, if `is_known` says that Dagster knows planes of the image.
    """
    groups, attributes = ["", "labels", f"labels/{name}"], [written_as.attributes, written_as.group]
    documents = {path: _read(url, [_join(path, it) for it in attributes]) for path in groups}
    arrays = [_join(path, ARRAY[written_as.zarr_format]) for path in ("0", f"labels/{name}/0", "origins")]
    provenance = [f"labels/{name}/provenance/{it}" for it in attributes]
    others = _read(url, [*arrays, *provenance, *list_provenance(url, name)])
    wrong = [path for path, content in others.items() if not _is_node(content)]
    for found in documents.values():
        if found and not (all(map(_is_node, found.values())) and any(map(read_attributes, found.values()))):
            wrong += found  # as a group without attributes, which ours has
    told = any(map(read_attributes, documents[""].values()))
    bare = not told and others.keys().isdisjoint(arrays) and _has_only_chunks(url) and is_known()
    lost = [written_as.attributes] if (others or bare) and not documents[""] else []
    gone = [path for path in arrays[:2] if told and path not in others]
    damaged = [*wrong, *lost, *(gone if gone and is_known() else [])]
    return damaged if damaged and (bare or _is_ours(url, name, level, written_as, documents[""])) else []


def remove_documents(url: str, documents: Sequence[str]) -> None:
    """Remove damaged documents, so that they are written again."""
    for document in documents:
        remove_file(f"{url}/{document}")


def list_stored(url: str, name: str) -> set[Plane]:
    """List the planes of which the label group `name` has a chunk."""
    filesystem, root = open_filesystem(f"{url}/labels/{name}/0")
    filesystem.invalidate_cache(root)
    found = (CHUNK.search(path) for path in filesystem.find(root))
    return {Plane(*map(int, match.groups())) for match in found if match}


def _is_ours(url: str, name: str, level: str, written_as: Format, root: Mapping[str, bytes]) -> bool:
    filesystem, place = open_filesystem(url)
    filesystem.invalidate_cache(place)
    entries = [path.rpartition("/")[2] for path in filesystem.ls(place, detail=False)]
    known = PARTS | {written_as.attributes, written_as.group}
    if any(entry not in known and not entry.endswith(".partial") for entry in entries):
        return False
    parts = (place, *(f"{place}/{entry}" for entry in (*entries, f"labels/{name}", f"labels/{name}/0")))
    if not is_s3(url) and any(map(os.path.islink, parts)):
        return False
    if any(record.level != level for record in read_provenance(url, name)):
        return False
    told = [attributes for content in root.values() if (attributes := read_attributes(content))]
    return any("idr_assets" in attributes for attributes in told) if told else bool(read_provenance(url, "*"))


def _has_only_chunks(url: str) -> bool:
    filesystem, place = open_filesystem(url)
    filesystem.invalidate_cache(place)
    if not is_s3(url) and any(path.is_symlink() for path in (Path(place), *Path(place).rglob("*"))):
        return False
    files = [path.removeprefix(f"{place}/") for path in filesystem.find(place) if not GROUP.search(path)]
    return bool(files) and all(map(OWN_CHUNK.fullmatch, files))


def _read(url: str, names: Sequence[str]) -> dict[str, bytes]:
    """Read the documents that exist."""
    return {name: content for name, content in zip(names, read_ends(url, names, 0), strict=True) if content is not None}


def _is_node(content: bytes) -> bool:
    try:
        return isinstance(json.loads(content), dict)
    except ValueError:
        return False


def _join(path: str, document: str) -> str:
    return f"{path}/{document}" if path else document
