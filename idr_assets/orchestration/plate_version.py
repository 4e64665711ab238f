"""The version of a plate, which Dagster compares with the version that planes were made from.

It stays while no field that was seen before has another fingerprint, so that more fields make no plane stale.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import dagster as dg

from idr_assets.imaging.segmentation.recipe import hash_parts
from idr_assets.orchestration.plate import Plate
from idr_assets.orchestration.source_version import SourceVersion, find_last_seen

if TYPE_CHECKING:
    from idr_assets.imaging.reading.plate_fields import OpenField


def find_plate_version(instance: dg.DagsterInstance, plate: Plate, fields: Mapping[int, "OpenField"]) -> SourceVersion:
    """Find out the version of a plate, of which these fields were opened just now."""
    known = find_last_seen(instance, plate)
    before: Mapping[str, str] = known.layout.get("fields", {}) if known else {}
    now = {plate.fields[at].name: it.fingerprint.digest for at, it in fields.items()}
    layout = {"fields": dict(sorted({**before, **now}.items()))}
    fingerprint = hash_parts(layout)
    same = known and all(before.get(name, digest) == digest for name, digest in now.items())
    return SourceVersion(known.version if known and same else fingerprint, fingerprint, layout)
