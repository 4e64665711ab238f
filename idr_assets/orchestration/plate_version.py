"""The version of a plate, which Dagster compares with the version that planes were made from.

It stays while no field that was seen before has another fingerprint, so that more fields make no plane stale. If one
has, the planes of all other fields get the new version in Dagster, so that its own planes alone are stale.
"""

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

import dagster as dg

from idr_assets.imaging.segmentation.recipe import hash_parts
from idr_assets.orchestration.plate import Plate
from idr_assets.orchestration.source_version import SourceVersion, find_last_seen
from idr_assets.orchestration.versions import INPUT, latest_events, source_key

if TYPE_CHECKING:
    from idr_assets.imaging.reading.plate_fields import OpenField


def renew_plate_version(instance: dg.DagsterInstance, plate: Plate, fields: Mapping[int, "OpenField"]) -> SourceVersion:
    """Find out the version of a plate, of which these fields were opened just now; planes of others keep up with it."""
    known = find_last_seen(instance, plate)
    now, replaced = compare_fields(known, plate, fields)
    layout = {"fields": dict(sorted({**_digests(known), **now}.items()))}
    fingerprint = hash_parts(layout)
    if known and not replaced:
        return SourceVersion(known.version, fingerprint, layout)
    if known:
        _keep_others(instance, plate, replaced, (known.version, fingerprint))
    return SourceVersion(fingerprint, fingerprint, layout)


def compare_fields(
    known: SourceVersion | None, plate: Plate, fields: Mapping[int, "OpenField"]
) -> tuple[dict[str, str], set[str]]:
    """Return the fingerprints of fields by name, and the names of those that were seen with another one."""
    before = _digests(known)
    now = {plate.fields[at].name: it.fingerprint.digest for at, it in fields.items()}
    return now, {name for name, digest in now.items() if before.get(name, digest) != digest}


def _digests(known: SourceVersion | None) -> Mapping[str, str]:
    found: Mapping[str, str] = known.layout.get("fields", {}) if known else {}
    return found


def _keep_others(
    instance: dg.DagsterInstance, plate: Plate, replaced: Collection[str], versions: tuple[str, str]
) -> None:
    """Report planes of other fields again, as made from the second version in place of the first."""
    from idr_assets.orchestration.event_log import report_materializations  # noqa: PLC0415

    (old, new), tag = versions, f"{INPUT}{source_key(plate).to_user_string()}"
    for key in instance.get_asset_keys(prefix=[plate.name]):
        events = latest_events(instance, key).items() if key.path[-1] == "plane_labels" else ()
        kept = [
            dg.AssetMaterialization(key, it.description, it.metadata, name, {**(it.tags or {}), tag: new})
            for name, it in events
            if (it.tags or {}).get(tag) == old and name.partition("|")[0].partition("_t")[0] not in replaced
        ]
        report_materializations(instance, kept)
