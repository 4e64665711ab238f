"""Find stored planes that prove right: they are intact, and a record beside them tells how they were made."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import dagster as dg

from idr_assets.imaging.output.arrays import clear_planes
from idr_assets.imaging.output.output_image import OutputImage
from idr_assets.imaging.output.plane_records import PlaneRecord, read_proven_checksums, read_records
from idr_assets.imaging.output.plate_output import PlateOutput
from idr_assets.imaging.output.plate_records import read_plate_records
from idr_assets.imaging.output.read_back import read_checksums
from idr_assets.imaging.planes import Plane
from idr_assets.imaging.segmentation.plane_results import PlaneSummary
from idr_assets.orchestration.assets.plane_metadata import draw_outlines, make_materialization
from idr_assets.orchestration.image import Image
from idr_assets.orchestration.rectangles import Cell

UNSTORED = "not stored"
UNPROVEN = "stored, but nothing tells how they were made: an earlier version, or another tool, made them"
OTHER_RECIPE = "made by another recipe"
OTHER_IMAGE = "made from the image in another state"
DAMAGED = "damaged, or changed since they were recorded"

ADOPTED = {"adopted": "stored by a run that Dagster does not know to have stored it, and proven by its record"}
"""What the metadata of an adopted partition has beside those of a run."""

type Known = tuple[PlaneSummary, PlaneRecord]
"""What was found in a plane, and how it was made."""


@dataclass(frozen=True)
class StoredPlanes:
    """What the output of an image tells of its planes.

    Attributes
    ----------
    image, output : Image, OutputImage
        The image, and its output.
    versions : collection of str
        The fingerprints that planes of the image as it is now have.
    records : mapping of Plane to records
        What was found in each, and how it was made; see `read_known`.

    """

    image: Image
    output: OutputImage
    versions: Collection[str]
    records: Mapping[Plane, Collection[Known]]

    def prove(self, cells: Sequence[Cell]) -> Iterator[tuple[Cell, list[Known] | str]]:
        """Yield each (t, z) with what proves it, or with the reason why it is not proven.

        Partial files of killed writers beside recorded planes are removed: those that are proven are not written again.
        """
        each = [[Plane(t, c, z) for c in self.image.channels] for t, z in cells]
        planes = [plane for partition in each for plane in partition if self.output.covers(plane)]
        recorded = [plane for plane in planes if plane in self.records]
        for plane in recorded:
            clear_planes(plane.block, self.output.pixels, self.output.labels)
        intact = dict(zip(recorded, read_proven_checksums(self.output, recorded), strict=True))
        others = [plane for plane in planes if intact.get(plane) is None]
        stored = {plane for plane, it in zip(others, read_checksums(self.output, others), strict=True) if it}
        for cell, partition in zip(cells, each, strict=True):
            found: list[Known | str] = []
            for plane in partition:
                if (checksum := intact.get(plane)) is not None:
                    found.append(self._find(plane, checksum))
                else:
                    found.append(UNSTORED if plane not in stored else DAMAGED if plane in self.records else UNPROVEN)
            wrong = next((it for it in found if isinstance(it, str)), None)
            yield cell, wrong or [it for it in found if not isinstance(it, str)]

    def make_event(
        self, proven: Sequence[Known], tags: Mapping[str, str], more: dict[str, Any], *, pictured: bool = False
    ) -> dg.AssetMaterialization:
        """Return what tells Dagster of a partition that is proven, with a picture of its outlines or without."""
        found = [summary for summary, _ in proven]
        picture = draw_outlines(self.output, found) if pictured else {}
        return make_materialization(self.image, found, proven[0][1].provenance, tags, ADOPTED | more | picture)

    def _find(self, plane: Plane, checksum: str) -> Known | str:
        """Return what proves an intact plane, or why nothing does."""
        fits = [it for it in self.records[plane] if it[0].checksum == checksum]
        of_recipe = [it for it in fits if it[1].recipe_version == self.image.recipe.version]
        of_image = [it for it in of_recipe if it[1].provenance.fingerprint in self.versions]
        if of_image:
            return of_image[0]
        return OTHER_IMAGE if of_recipe else OTHER_RECIPE if fits else DAMAGED


def read_known(output: OutputImage) -> Mapping[Plane, Collection[Known]]:
    """Read the records of planes of an output."""
    known: dict[Plane, list[Known]] = defaultdict(list)
    for plane, record in read_plate_records(output) if isinstance(output, PlateOutput) else read_records(output):
        with suppress(TypeError):  # of another version, which finds something else in planes
            known[plane].append((PlaneSummary(plane, seconds=None, **record.found), record))
    return known
