"""Store how the planes of an output were made: each record once, in a group beside the labels.

The name of a group is the hash of its record, so that no record is lost if several processes write at once.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from idr_assets.imaging.errors import mask_all
from idr_assets.imaging.ome_zarr.formats import FORMATS
from idr_assets.imaging.output.files import read_ends
from idr_assets.imaging.output.nodes import create_group, list_label_groups, list_names, read_attributes
from idr_assets.imaging.output.output_image import OutputImage
from idr_assets.imaging.stores.by_address import is_s3, open_filesystem


@dataclass(frozen=True)
class Provenance:
    """How planes of an output were made.

    Attributes
    ----------
    url, level, channels : str, str, tuple of int
        Address of the source without secrets, the path of its level, and the segmented channels.
    fingerprint : str
        Digest of the source as it was, see `Fingerprint`.
    function, version, parameters : str, str, mapping
        Dotted path of the segmentation function, its version, and its keyword arguments.
    packages : mapping of str to str
        Versions of the packages that labels depend on.
    given : mapping
        The parameters as the YAML gives them, where lengths among them are in µm and not in pixels; empty otherwise.
    inputs : mapping of str to int
        The channels that the function got, by the names of its arguments; empty if it got each channel by itself.
    neighbours : mapping of str to int
        How many planes around each the function got along t and z; empty if none.
    together : tuple of int
        The channels whose pixels are stored with the labels of a plane; empty if those of its own alone are.

    """

    url: str
    level: str
    channels: tuple[int, ...]
    fingerprint: str
    function: str
    version: str
    parameters: Mapping[str, Any]
    packages: Mapping[str, str]
    given: Mapping[str, Any] = field(default_factory=dict)
    inputs: Mapping[str, int] = field(default_factory=dict)
    together: tuple[int, ...] = ()
    neighbours: Mapping[str, int] = field(default_factory=dict)

    def to_json(self) -> dict[str, dict[str, Any]]:
        """Return the record as it is stored, and as the UI shows it: parameters without secrets of addresses."""
        source = {"url": self.url, "level": self.level, "channels": list(self.channels)}
        recipe = {"function": self.function, "version": self.version, "parameters": mask_all(dict(self.parameters))}
        of_several = {"together": list(self.together)} if self.together else {}
        return {
            "source": source | of_several | {"fingerprint": self.fingerprint},
            "segmentation": recipe | {name: mask_all(dict(more)) for name, more in self._more.items() if more},
            "versions": dict(self.packages),
        }

    @property
    def _more(self) -> dict[str, Mapping[str, Any]]:
        """What only some recipes have."""
        return {"given": self.given, "inputs": self.inputs, "neighbours": self.neighbours}

    @classmethod
    def from_json(cls, stored: Mapping[str, Mapping[str, Any]]) -> Self:
        """Read a stored record; what an earlier version did not store is empty."""
        source, recipe = stored.get("source", {}), stored.get("segmentation", {})
        return cls(
            url=source.get("url", ""),
            level=source.get("level", ""),
            channels=tuple(source.get("channels", ())),
            fingerprint=source.get("fingerprint", ""),
            function=recipe.get("function", ""),
            version=recipe.get("version", ""),
            parameters=recipe.get("parameters", {}),
            packages=stored.get("versions", {}),
            given=recipe.get("given", {}),
            inputs=recipe.get("inputs", {}),
            neighbours=recipe.get("neighbours", {}),
            together=tuple(source.get("together", ())),
        )


def add_provenance(output: OutputImage, provenance: Provenance) -> None:
    """Store how planes of the output's label group are made, unless that record exists."""
    filesystem, root = open_filesystem(output.url)
    path, record = record_group(output.name, provenance), {"idr_assets": provenance.to_json()}
    if not is_s3(output.url) and filesystem.exists(f"{root}/{path}/{output.format.group}"):
        return  # as for all blocks but the first; S3 may answer from what it remembers
    create_group(output.url, provenance_group(output.name), {}, output.format)
    create_group(output.url, path, record, output.format)


def read_provenance(url: str, labels: str) -> list[Provenance]:
    """Read every record of a label group of the output at `url`, always in the same order, which has no meaning.

    A record that is damaged is left out. `labels` may be `*`, for all label groups.
    """
    return [Provenance.from_json(record) for record in _records(url, labels)]


def read_together(url: str) -> dict[str, tuple[int, ...]]:
    """Read which channels belong together in each label group of the output at `url` that joins any."""
    found = {}
    for name in list_label_groups(url):
        if channels := {channel for record in read_provenance(url, name) for channel in record.together}:
            found[name] = tuple(sorted(channels))
    return found


def list_provenance(url: str, labels: str) -> list[str]:
    """List where the documents of the records of a label group are, below the output at `url`."""
    found = []
    for group in map(provenance_group, list_names(f"{url}/labels") if labels == "*" else [labels]):
        listed = list_names(f"{url}/{group}")
        names = {it.attributes for it in FORMATS.values() if it.group in listed} or {"zarr.json", ".zattrs"}
        found += [f"{group}/{record}/{name}" for record in filter(str.isalnum, listed) for name in names]
    return sorted(found)


def _records(url: str, labels: str) -> Iterator[dict[str, Any]]:
    for content in read_ends(url, list_provenance(url, labels), 0):
        record = read_attributes(content or b"").get("idr_assets")
        if isinstance(record, dict) and record.keys() >= {"source", "segmentation"}:
            yield record


def provenance_group(labels: str) -> str:
    """Return the path of the group, below the output, that contains the groups of the records."""
    return f"labels/{labels}/provenance"


def record_group(labels: str, provenance: Provenance) -> str:
    """Return the path of the group, below the output, of one record."""
    content = json.dumps(provenance.to_json(), sort_keys=True).encode()
    return f"{provenance_group(labels)}/{hashlib.sha256(content).hexdigest()[:16]}"
