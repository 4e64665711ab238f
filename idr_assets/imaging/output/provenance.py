"""Store how the planes of an output were made: each record once, in a group beside the labels.

The name of a group is the hash of its record, so that no record is lost if several processes write at once.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from idr_assets.imaging.output.nodes import create_group, find_group
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

    """

    url: str
    level: str
    channels: tuple[int, ...]
    fingerprint: str
    function: str
    version: str
    parameters: Mapping[str, Any]
    packages: Mapping[str, str]

    def to_json(self) -> dict[str, dict[str, Any]]:
        """Return the record as it is stored, and as the UI shows it."""
        source = {"url": self.url, "level": self.level, "channels": list(self.channels)}
        recipe = {"function": self.function, "version": self.version, "parameters": dict(self.parameters)}
        return {
            "source": source | {"fingerprint": self.fingerprint},
            "segmentation": recipe,
            "versions": dict(self.packages),
        }

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
        )


def add_provenance(output: OutputImage, provenance: Provenance) -> None:
    """Store how planes of the output's label group are made, unless that record exists."""
    path, record = _group(output.name), provenance.to_json()
    name = hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()[:16]
    filesystem, root = open_filesystem(output.url)
    if not is_s3(output.url) and filesystem.exists(f"{root}/{path}/{name}/{output.format.group}"):
        return  # as for all blocks but the first; S3 may answer from what it remembers
    create_group(output.url, path, {}, output.format)
    create_group(output.url, f"{path}/{name}", {"idr_assets": record}, output.format)


def read_provenance(url: str, labels: str) -> list[Provenance]:
    """Read every record of a label group of the output at `url`, always in the same order, which has no meaning."""
    records = find_group(url, _group(labels))
    groups: Any = [group for _, group in sorted(records.groups())] if records is not None else []
    return [Provenance.from_json(group.attrs["idr_assets"]) for group in groups]


def _group(labels: str) -> str:
    """Return the path of the group, below the output, that contains the groups of the records."""
    return f"labels/{labels}/provenance"
