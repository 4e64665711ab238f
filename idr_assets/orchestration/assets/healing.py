"""Heal an output that was damaged from outside, so that its planes can be made again.

What is left of it is recognized by `imaging.output.remains`. Its documents are written again. Labels stay if a record
of the output, or Dagster, knows them as they are. All others of the label group are removed, and so is what Dagster
knows of planes that are no longer stored.
"""

from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from itertools import batched

import dagster as dg

from idr_assets.imaging.ome_zarr.formats import FORMATS
from idr_assets.imaging.output.creation import create_output
from idr_assets.imaging.output.output_image import OutputImage
from idr_assets.imaging.output.plane_records import read_proven_checksums, read_records
from idr_assets.imaging.output.remains import find_damage, list_stored, remove_documents
from idr_assets.imaging.output.writing import remove_labels
from idr_assets.imaging.planes import Plane
from idr_assets.orchestration.assets.plane_metadata import read_summaries
from idr_assets.orchestration.image import Image
from idr_assets.orchestration.partitions import planes_of
from idr_assets.orchestration.records_lock import lock_records
from idr_assets.orchestration.versions import latest_events

AT_ONCE = 500
"""Planes that are read at once."""

HEALED = (
    "%s was damaged from outside: %s. Its metadata were written again. Of its label planes %d are intact and kept, and "
    "%d that cannot be proven were removed. %d partitions that Dagster counted are missing now."
)


def heal_output(instance: dg.DagsterInstance, image: Image) -> str:
    """Heal the output of an image if it is ours and damaged, and say what was done; an empty text if nothing was.

    If the event log cannot forget single partitions, only documents are written again. Raises `ImageError` if the
    source does not answer, or if the output cannot be written.
    """
    url, name, written_as = image.labels_url, image.label_group, FORMATS[image.format]
    asset = dg.AssetKey(image.key("plane_labels"))
    find = partial(
        find_damage, url, name, image.level, written_as, lambda: bool(instance.get_materialized_partitions(asset))
    )
    if not (image.is_healed and find()):
        return ""
    level = image.source.open()
    image.source.check(level)
    with lock_records(instance, image):
        damaged = find()
        if not damaged:  # another process was first
            return ""
        remove_documents(url, damaged)
        output = create_output(url, level, name, version=image.format)
        kept, removed, lost = _remove_unproven(instance, image, output)
    return HEALED % (url, ", ".join(damaged), kept, removed, lost)


def _remove_unproven(instance: dg.DagsterInstance, image: Image, output: OutputImage) -> tuple[int, int, int]:
    """Remove labels that nothing proves, and Dagster's records of planes that are not stored; count all three."""
    asset = dg.AssetKey(image.key("plane_labels"))
    told = latest_events(instance, asset)
    stored, intact = list_stored(output.url, output.name), _find_intact(output, image, told)
    lost = [key for key in told if not intact.issuperset(planes_of(image, key))]
    try:
        if lost:  # the record first, as `idr-assets wipe` does
            instance.wipe_asset_partitions(asset, lost)
    except NotImplementedError:
        return len(stored), 0, 0
    for plane in stored - intact:
        remove_labels(output, plane.block)
    return len(stored & intact), len(stored - intact), len(lost)


def _find_intact(output: OutputImage, image: Image, told: Mapping[str, dg.AssetMaterialization]) -> set[Plane]:
    """Find the planes that are stored as a record of the output, or Dagster, says."""
    expected: dict[Plane, set[str | None]] = defaultdict(set)
    for plane, record in read_records(output):
        expected[plane].add(record.found.get("checksum"))
    for key, event in told.items():
        with suppress(TypeError):  # of an earlier version, which kept no checksum
            for summary in read_summaries(event.metadata, planes_of(image, key)):
                expected[summary.plane].add(summary.checksum)
    intact = set()
    for planes in batched(filter(output.covers, expected), AT_ONCE):
        found = zip(planes, read_proven_checksums(output, planes), strict=True)
        intact |= {plane for plane, checksum in found if checksum and checksum in expected[plane]}
    return intact
