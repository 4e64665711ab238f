"""Create the outputs of the fields of a plate: one as of an image, and from its documents those of fields like it.

A plate has hundreds of fields, and creating an output takes far longer than its planes do.
"""

import json
from collections import defaultdict
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from idr_assets.imaging.ome_zarr.formats import FORMATS, Format, Version
from idr_assets.imaging.output.creation import create_output, list_labels
from idr_assets.imaging.output.disk_files import clear_documents
from idr_assets.imaging.output.files import read_ends, write_file
from idr_assets.imaging.output.origin_array import ORIGINS, create_origin_array
from idr_assets.imaging.output.provenance import Provenance, add_provenance, record_group
from idr_assets.imaging.reading.level import Level
from idr_assets.imaging.reading.missing_chunks import DOCUMENT
from idr_assets.imaging.wells import Field

AT_ONCE = 8
"""Fields that are created at the same time."""

type Documents = Mapping[str, bytes]


@dataclass(frozen=True)
class FieldCreation:
    """Creates fields of the output of a plate at `url`, with the label group `name`."""

    url: str
    name: str
    version: Version

    def create(self, fields: Mapping[Field, tuple[Level, Provenance]]) -> None:
        """Create the outputs of fields and store their records, unless they exist; raises what `create_output` does."""
        alike: dict[object, list[Field]] = defaultdict(list)
        for field, (level, _) in fields.items():
            alike[level.geometry, level.shape, level.dtype.newbyteorder("=")].append(field)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for first, *others in alike.values():
                self._create(first, *fields[first])
                documents = self._read(first, fields[first][1])
                list(pool.map(lambda field: self._copy(documents, field, *fields[field]), others))  # noqa: B023  ended here

    def _create(self, field: Field, level: Level, provenance: Provenance) -> None:
        output = create_output(f"{self.url}/{field.path}", level, self.name, version=self.version)
        create_origin_array(output, level.shape)
        add_provenance(output, provenance)

    def _copy(self, documents: Documents, field: Field, level: Level, provenance: Provenance) -> None:
        """Write what a field lacks of the documents, if what it has is the same; create it by itself if it is not."""
        place = f"{self.url}/{field.path}"
        clear_documents(place)
        wanted = _replace_record(documents, provenance, self.name, self._format)
        wanted = {**wanted, self._format.attributes: _with_name(wanted[self._format.attributes], level)}
        found = dict(zip(wanted, read_ends(place, [*wanted], 0), strict=True))
        listing = f"labels/{self._format.attributes}"
        if any(it not in {None, wanted[path]} for path, it in found.items() if path != listing):
            self._create(field, level, provenance)
            return
        for path, body in wanted.items():
            if found[path] is None:
                write_file(f"{place}/{path}", body)
        if found[listing] not in {None, wanted[listing]}:
            list_labels(place, self._format)

    def _read(self, field: Field, provenance: Provenance) -> Documents:
        """Read the documents of a field, from its root downwards; the record comes last."""
        of_array = DOCUMENT[self._format.zarr_format]
        labels, record = f"labels/{self.name}", record_group(self.name, provenance)
        of_group = dict.fromkeys([self._format.attributes, self._format.group])
        groups = ("", "labels/", f"{labels}/", f"{record.rpartition('/')[0]}/", f"{record}/")
        arrays = [f"{path}/{of_array}" for path in ("0", f"{labels}/0", ORIGINS)]
        *above, last = [[f"{group}{document}" for document in of_group] for group in groups]
        paths = [*(path for group in above for path in group), *arrays, *last]
        found = read_ends(f"{self.url}/{field.path}", paths, 0)
        return {path: body for path, body in zip(paths, found, strict=True) if body is not None}

    @property
    def _format(self) -> Format:
        return FORMATS[self.version]


def _replace_record(documents: Documents, provenance: Provenance, name: str, written_as: Format) -> Documents:
    """Give documents the record of another field, in the place that its hash names."""
    changed: dict[str, bytes] = {}
    above, _, record = record_group(name, provenance).rpartition("/")
    for path, body in documents.items():
        folder, _, document = path.rpartition("/")
        if folder.rpartition("/")[0] != above:
            changed[path] = body
        else:
            changed[f"{above}/{record}/{document}"] = _with_record(body, provenance, document, written_as)
    return changed


def _with_name(body: bytes, level: Level) -> bytes:
    """Give the document of an image the name of another field, as `create_output` does."""
    content: Any = json.loads(body)
    attributes = content.get("attributes", content)
    for image in attributes.get("ome", attributes)["multiscales"]:
        image["name"] = level.url.rstrip("/").rpartition("/")[2]
    return json.dumps(content, indent=2).encode()


def _with_record(body: bytes, provenance: Provenance, document: str, written_as: Format) -> bytes:
    if document != written_as.attributes:
        return body
    content: Any = json.loads(body)
    attributes = {"idr_assets": provenance.to_json()}
    content = content | {"attributes": attributes} if written_as.attributes == written_as.group else attributes
    return json.dumps(content, indent=2).encode()
