"""Look whether an image or a plate changed in its store, and which runs make what it concerns."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import dagster as dg

from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.segmentation.recipe import hash_parts
from idr_assets.orchestration.automation.missing import IN_PROGRESS, missing_planes, plan_runs
from idr_assets.orchestration.image import Image
from idr_assets.orchestration.partitions import range_tags
from idr_assets.orchestration.plate import Plate
from idr_assets.orchestration.plate_version import compare_fields
from idr_assets.orchestration.source_version import find_last_seen, find_version, hasten

BUSY = "A run makes planes of %s. The others are requested when it has ended."


class Look(NamedTuple):
    """What a look at a store finds: the version to keep, if any, the tags of the runs to request, and why."""

    version: str | None
    runs: Sequence[Mapping[str, str]]
    reason: str


def look_at(instance: dg.DagsterInstance, image: Image, last_version: str | None) -> Look:
    """Find out whether an image changed since a look found `last_version`, or since the last run that saw it.

    Of an image, the whole window is made again. It reads metadata, and a few planes if the image grew. Of a plate, the
    fields that changed are.
    """
    try:
        if isinstance(image, Plate):
            found = _look_at_plate(instance, image, last_version)
        else:
            found = _look_at_image(instance, image, last_version)
    except ImageError as error:
        return Look(None, [], f"Cannot find out now whether {image.name} changed: {error}")
    if found.runs and missing_planes(instance, image, [IN_PROGRESS]):
        return Look(None, [], BUSY % image.title)
    return found


def _look_at_image(instance: dg.DagsterInstance, image: Image, last_version: str | None) -> Look:
    from idr_assets.imaging.reading.fingerprint import read_fingerprint  # noqa: PLC0415  zarr, for a look only

    level = hasten(image).source.open()
    fingerprint = read_fingerprint(level, image.storage_options).digest
    seen, last = find_version(instance, image, level, fingerprint), find_last_seen(instance, image)
    if (last_version or (last and last.version)) in {None, seen.version}:
        reason = f"What is done of {image.name} is unchanged; its fingerprint is {fingerprint}."
        return Look(seen.version, [], reason)
    return Look(seen.version, [range_tags(image, image.window)], f"{image.name} changed.")


def _look_at_plate(instance: dg.DagsterInstance, plate: Plate, last_version: str | None) -> Look:
    opened = hasten(plate).source.open()
    now, replaced = compare_fields(find_last_seen(instance, plate), plate, opened.fields)
    version = hash_parts(now)
    if not replaced or version == last_version:
        return Look(version, [], f"{len(now)} fields of {plate.name} were looked at; none changed.")
    cells = [(t, z) for t in plate.t if plate.field_of(t)[0].name in replaced for z in plate.z]
    return Look(version, plan_runs(instance, plate, cells), f"{', '.join(sorted(replaced))} of {plate.name} changed.")
