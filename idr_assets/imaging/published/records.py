"""What a published image knows of its timepoints: what each was made from, which planes are missing, which recipes."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from idr_assets.imaging.errors import mask, split_query
from idr_assets.imaging.output.files import read_ends, update_file
from idr_assets.imaging.output.nodes import read_attributes
from idr_assets.imaging.output.output_image import OutputImage
from idr_assets.imaging.output.plane_records import read_records
from idr_assets.imaging.output.provenance import Provenance, read_provenance, record_group
from idr_assets.imaging.output.read_back import read_checksums
from idr_assets.imaging.planes import Block, Plane, runs
from idr_assets.imaging.published.attributes import FORMAT
from idr_assets.imaging.published.layout import VERSION, hash_json
from idr_assets.imaging.published.slabs import PublishedPlane

type Record = dict[str, Any]
type Checksums = dict[str, dict[Plane, str | None]]


def read_timepoints(url: str) -> dict[int, Record]:
    """Read what is known of each timepoint, by its index."""
    (document,) = read_ends(url, [FORMAT.group], 0)
    known = read_attributes(document or b"").get("idr_assets", {}).get("timepoints", {})
    return {int(t): record for t, record in known.items()}


def hide_places(value: Any) -> Any:  # noqa: ANN401  any JSON
    """Return a recipe for others to read: of a path on this machine its name alone, of an address no query."""
    match value:
        case str():
            address, sign, digest = value.partition("#sha256=")
            if address.startswith(("/", "~", "file:")):
                address = address.rstrip("/").rpartition("/")[2]
            return f"{mask(split_query(address)[0])}{sign}{digest}" if "://" in value else f"{address}{sign}{digest}"
        case dict():
            return {name: hide_places(each) for name, each in value.items()}
        case list():
            return [hide_places(each) for each in value]
    return value


def note_timepoint(url: str, t: int, record: Record, recipes: Record) -> None:
    """Note what is known of a timepoint, and the recipes that it names."""
    update_file(f"{url}/{FORMAT.group}", partial(_note, t, record, recipes))


def _note(t: int, record: Record, recipes: Record, document: bytes) -> bytes:
    content = json.loads(document)
    own = content["attributes"]["idr_assets"]
    timepoints = own["timepoints"] | {str(t): record}
    own["timepoints"] = {str(t): timepoints[str(t)] for t in sorted(map(int, timepoints))}
    named = {name for each in timepoints.values() for names in each.get("recipes", {}).values() for name in names}
    own["recipes"] = {name: made for name, made in (own["recipes"] | recipes).items() if name in named}
    return json.dumps(content, indent=2).encode()


def read_origin(
    outputs: Sequence[OutputImage], planes: Block, labelled: Mapping[str, tuple[int, ...]]
) -> tuple[str, Checksums]:
    """Return a hash of the planes of a timepoint as the output has them, and the checksums of those with labels."""
    checksums: Checksums = {}
    for output in outputs:  # the checksum of a plane covers the pixels of all channels that belong to its labels
        listed = replace(planes, c=labelled[output.name]).planes()
        checksums[output.name] = dict(zip(listed, read_checksums(output, listed), strict=True))
    parts = {name: {str(plane): checksum for plane, checksum in each.items()} for name, each in checksums.items()}
    return hash_json([VERSION, parts]), checksums


def describe_missing(found: Iterable[PublishedPlane]) -> dict[str, dict[str, list[list[int]]]]:
    """List the first and last slice of each run of missing planes, by segmentation and channel."""
    missing: dict[str, dict[str, list[int]]] = {}
    for each in sorted(found, key=lambda it: it.plane):
        for name in each.missing:
            missing.setdefault(name, {}).setdefault(str(each.plane.c), []).append(each.plane.z)
    return {name: {c: [[run[0], run[-1]] for run in runs(z)] for c, z in of.items()} for name, of in missing.items()}


class Recipes:
    """How the planes of an output were made, read when it is first asked for."""

    def __init__(self, outputs: Sequence[OutputImage]) -> None:
        """Read nothing yet."""
        self._outputs = outputs
        self._known: dict[str, Callable[[Plane, str], str]] = {}
        self.described: Record = {}

    def name(self, checksums: Checksums) -> dict[str, list[str]]:
        """Name the recipes of planes with these checksums, by segmentation."""
        found = {}
        for output in self._outputs:
            if output.name not in self._known:
                self._known[output.name] = self._read(output)
            stored = [(plane, checksum) for plane, checksum in checksums[output.name].items() if checksum]
            found[output.name] = sorted({self._known[output.name](*it) for it in stored})
        return found

    def _read(self, output: OutputImage) -> Callable[[Plane, str], str]:
        every = {_name(output, it): hide_places(it.to_json()) for it in read_provenance(output.url, output.name)}
        self.described |= every
        if len(every) == 1:
            (only,) = every
            return lambda _plane, _checksum: only
        made = {(plane, it.found.get("checksum")): _name(output, it.provenance) for plane, it in read_records(output)}
        return lambda plane, checksum: made.get((plane, checksum), "unknown")


def _name(output: OutputImage, provenance: Provenance) -> str:
    return record_group(output.name, provenance).rpartition("/")[2]
