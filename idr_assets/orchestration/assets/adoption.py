"""Tell Dagster of planes that are stored and proven, but unknown to it, in place of making them again.

A run that is killed, or whose event log was away, leaves such planes. So does another instance: an output that was
copied, or that a new DAGSTER_HOME is to know.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import batched

import dagster as dg

from idr_assets.imaging.output.output_image import OutputImage
from idr_assets.imaging.output.plane_records import PlaneRecord, read_proven_checksums, read_records
from idr_assets.imaging.output.read_back import read_checksums
from idr_assets.imaging.planes import Plane, evenly_spread
from idr_assets.imaging.reading.fingerprint import read_fingerprint
from idr_assets.imaging.segmentation.findings import Findings
from idr_assets.imaging.segmentation.plane_results import PlaneSummary
from idr_assets.imaging.stores.zarr_settings import own_settings
from idr_assets.orchestration.assets.metadata import name_channels
from idr_assets.orchestration.assets.plane_checks import INDEPENDENT, evaluate_checks
from idr_assets.orchestration.assets.plane_metadata import MOST_PICTURED, draw_outlines, make_materialization
from idr_assets.orchestration.image import Image
from idr_assets.orchestration.records_lock import lock_records
from idr_assets.orchestration.rectangles import Cell
from idr_assets.orchestration.source_version import report_source
from idr_assets.orchestration.versions import version_tags

UNSTORED = "not stored"
UNPROVEN = "stored, but nothing tells how they were made: an earlier version, or another tool, made them"
OTHER_RECIPE = "made by another recipe"
OTHER_IMAGE = "made from the image in another state"
DAMAGED = "damaged, or changed since they were recorded"

ADOPTED = {"adopted": "stored by a run that Dagster does not know to have stored it, and proven by its record"}
"""What the metadata of an adopted partition has beside those of a run."""

AT_ONCE = 500
"""Partitions that are proven and told within one lock."""

type Known = tuple[PlaneSummary, PlaneRecord]
"""What was found in a plane, and how it was made."""


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
    adoption, output = Adoption(), image.open_output()
    known = _read_records(output)
    versions = _report_source(instance, image) if known else set()
    tags, pictured = version_tags(instance, image), evenly_spread(sorted(cells), MOST_PICTURED) if cells else []
    findings, names = Findings(), name_channels(image, image.geometry.channels)
    for batch in batched(sorted(cells), AT_ONCE):
        events = []
        with lock_records(instance, image):
            for cell, proven in _prove(output, image, batch, known, versions):
                if isinstance(proven, str):
                    adoption.others[proven].add(cell)
                    continue
                found = [summary for summary, _ in proven]
                more = ADOPTED | names | (draw_outlines(output, found) if cell in pictured else {})
                events.append(make_materialization(image, found, proven[0][1].provenance, tags, more))
                findings.add(found)
                adoption.adopted.add(cell)
            _report(instance, events)
    _report_checks(instance, image, findings)
    return adoption


def _read_records(output: OutputImage) -> Mapping[Plane, Collection[Known]]:
    known: dict[Plane, list[Known]] = defaultdict(list)
    for plane, record in read_records(output):
        with suppress(TypeError):  # of another version, which finds something else in planes
            known[plane].append((PlaneSummary(plane, seconds=None, **record.found), record))
    return known


def _report_source(instance: dg.DagsterInstance, image: Image) -> set[str]:
    """Tell Dagster of the image, and return the fingerprints that planes of it have."""
    level = image.source.open()
    image.source.check(level)
    fingerprint = read_fingerprint(level, image.storage_options).digest
    return {fingerprint, report_source(instance, image, level, fingerprint).version}


def _prove(
    output: OutputImage,
    image: Image,
    cells: Sequence[Cell],
    known: Mapping[Plane, Collection[Known]],
    versions: Collection[str],
) -> Iterator[tuple[Cell, list[Known] | str]]:
    """Yield each (t, z) with what proves it, or with the reason why it is not proven."""
    each = [[Plane(t, c, z) for c in image.channels] for t, z in cells]
    planes = [plane for partition in each for plane in partition if output.covers(plane)]
    recorded = [plane for plane in planes if plane in known]
    intact = dict(zip(recorded, read_proven_checksums(output, recorded), strict=True))
    others = [plane for plane in planes if intact.get(plane) is None]
    stored = {plane for plane, it in zip(others, read_checksums(output, others), strict=True) if it}
    for cell, partition in zip(cells, each, strict=True):
        found: list[Known | str] = []
        for plane in partition:
            if (checksum := intact.get(plane)) is not None:
                found.append(_find(image, known[plane], checksum, versions))
            else:
                found.append(UNSTORED if plane not in stored else DAMAGED if plane in known else UNPROVEN)
        wrong = next((it for it in found if isinstance(it, str)), None)
        yield cell, wrong or [it for it in found if not isinstance(it, str)]


def _find(image: Image, known: Collection[Known], checksum: str, versions: Collection[str]) -> Known | str:
    """Return what proves an intact plane, or why nothing does."""
    fits = [it for it in known if it[0].checksum == checksum]
    of_recipe = [it for it in fits if it[1].recipe_version == image.recipe.version]
    of_image = [it for it in of_recipe if it[1].provenance.fingerprint in versions]
    if of_image:
        return of_image[0]
    return OTHER_IMAGE if of_recipe else OTHER_RECIPE if fits else DAMAGED


def _report(instance: dg.DagsterInstance, events: Sequence[dg.AssetMaterialization]) -> None:
    from idr_assets.orchestration.event_log import report_materializations  # noqa: PLC0415

    report_materializations(instance, events)


def _report_checks(instance: dg.DagsterInstance, image: Image, found: Findings) -> None:
    """Evaluate checks of the adopted planes; whether planes depend on each other is not known of them."""
    asset = dg.AssetKey(image.key("plane_labels"))
    for check in evaluate_checks(image, found) if len(found) else ():
        if check.check_name != INDEPENDENT:
            told = dg.AssetCheckEvaluation(
                asset, str(check.check_name), check.passed, check.metadata, None, check.severity
            )
            instance.report_runless_asset_event(told)
