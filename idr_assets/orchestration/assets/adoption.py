"""Tell Dagster of planes that are stored and proven, but unknown to it, in place of making them again.

A run that is killed, or whose event log was away, leaves such planes. So does another instance: an output that was
copied, or that a new DAGSTER_HOME is to know. Runs that make what is missing take them over.
"""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from itertools import batched

import dagster as dg

from idr_assets.imaging.output.output_image import OutputImage
from idr_assets.imaging.planes import evenly_spread
from idr_assets.imaging.reading.fingerprint import read_fingerprint
from idr_assets.imaging.segmentation.findings import Findings
from idr_assets.imaging.stores.zarr_settings import own_settings
from idr_assets.orchestration.assets.earlier_attempt import EarlierAttempt
from idr_assets.orchestration.assets.metadata import name_channels
from idr_assets.orchestration.assets.plane_checks import INDEPENDENT, evaluate_checks
from idr_assets.orchestration.assets.plane_metadata import MOST_PICTURED
from idr_assets.orchestration.assets.stored_planes import StoredPlanes, read_known
from idr_assets.orchestration.image import Image
from idr_assets.orchestration.plate import Plate
from idr_assets.orchestration.plate_version import renew_plate_version
from idr_assets.orchestration.records_lock import lock_records
from idr_assets.orchestration.rectangles import Cell
from idr_assets.orchestration.source_version import find_last_seen, report_source, report_version
from idr_assets.orchestration.versions import version_tags

AT_ONCE = 500
"""Partitions that are proven and told within one lock."""


@dataclass
class Adoption:
    """What became of (t, z) of partitions: those that were adopted, and the others by the reason why they were not."""

    adopted: set[Cell] = field(default_factory=set)
    others: dict[str, set[Cell]] = field(default_factory=lambda: defaultdict(set))


@own_settings
def adopt_planes(instance: dg.DagsterInstance, image: Image, cells: Collection[Cell]) -> Adoption:
    """Tell Dagster of those (t, z) that are stored, intact, and of the recipe and the image as these are now.

    A plane must have a record that fits what is stored. Raises `ImageError` if nothing was segmented yet, or if the
    source does not answer.
    """
    from idr_assets.orchestration.event_log import report_materializations  # noqa: PLC0415

    adoption, output, findings = Adoption(), image.open_output(), Findings()
    known = read_known(output)
    stored = StoredPlanes(image, output, _report_source(instance, image) if known else set(), known)
    tags, names = version_tags(instance, image), name_channels(image, image.geometry.channels)
    pictured = evenly_spread(sorted(cells), MOST_PICTURED) if cells else []
    for batch in batched(sorted(cells), AT_ONCE):
        events = []
        with lock_records(instance, image):
            for cell, proven in stored.prove(batch):
                if isinstance(proven, str):
                    adoption.others[proven].add(cell)
                    continue
                events.append(stored.make_event(proven, tags, names, pictured=cell in pictured))
                findings.add(found for found, _ in proven)
                adoption.adopted.add(cell)
            report_materializations(instance, events)
    _report_checks(instance, image, findings)
    return adoption


def read_adoptable(
    context: dg.AssetExecutionContext, image: Image, cells: Collection[Cell], output: OutputImage, seen: Collection[str]
) -> EarlierAttempt:
    """Find the wanted (t, z) that are stored and proven, for a run to take over that has seen these fingerprints."""
    found, known = EarlierAttempt(), read_known(output)
    last = find_last_seen(context.instance, image)
    stored = StoredPlanes(image, output, {*seen, *([last.version] if last else [])}, known)
    tags, names = version_tags(context.instance, image), name_channels(image, image.geometry.channels)
    for batch in batched(sorted(cells), AT_ONCE) if known else ():
        for cell, proven in stored.prove(batch):
            if not isinstance(proven, str):
                found.events.append(stored.make_event(proven, tags, names))
                found.summaries += [summary for summary, _ in proven]
                found.cells.add(cell)
    return found


def _report_source(instance: dg.DagsterInstance, image: Image) -> set[str]:
    """Tell Dagster of the image, and return the fingerprints that planes of it have."""
    if isinstance(image, Plate):
        fields = image.source.open().fields
        report_version(instance, image, renew_plate_version(instance, image, fields))
        return {it.fingerprint.digest for it in fields.values()}
    level = image.source.open()
    image.source.check(level)
    fingerprint = read_fingerprint(level, image.storage_options).digest
    return {fingerprint, report_source(instance, image, level, fingerprint).version}


def _report_checks(instance: dg.DagsterInstance, image: Image, found: Findings) -> None:
    """Evaluate checks of the adopted planes; whether planes depend on each other is not known of them."""
    asset = dg.AssetKey(image.key("plane_labels"))
    for check in evaluate_checks(image, found) if len(found) else ():
        if check.check_name != INDEPENDENT:
            told = dg.AssetCheckEvaluation(
                asset, str(check.check_name), check.passed, check.metadata, None, check.severity
            )
            instance.report_runless_asset_event(told)
