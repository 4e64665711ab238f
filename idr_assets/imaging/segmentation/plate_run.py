"""A segmentation run over fields of a plate: all of them as one image, so that blocks hold planes of many fields."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self, override

from distributed import Client

from idr_assets.imaging.ome_zarr.formats import Version
from idr_assets.imaging.output.output_image import SEGMENTATION
from idr_assets.imaging.output.plate_creation import create_plate
from idr_assets.imaging.output.plate_origins import open_plate_origins
from idr_assets.imaging.output.plate_output import PlateOutput, open_plate_output
from idr_assets.imaging.output.plate_records import write_plate_record
from idr_assets.imaging.output.provenance import Provenance
from idr_assets.imaging.planes import Block, Plane, runs
from idr_assets.imaging.reading.plate import PlateSource
from idr_assets.imaging.reading.plate_fields import OpenField
from idr_assets.imaging.segmentation.block_task import BlockTask
from idr_assets.imaging.segmentation.plane_results import PlaneFailure, PlaneSummary, Result
from idr_assets.imaging.segmentation.recipe import Recipe
from idr_assets.imaging.segmentation.run import SegmentationRun, describe_run
from idr_assets.imaging.segmentation.size_remarks import remark_size
from idr_assets.imaging.segmentation.tiled_planes import Tell, tell_nobody
from idr_assets.imaging.wells import name_fields

RECORDED_AT_ONCE = 200
"""Planes whose records stand in one document; of a run that is killed, so many have none."""


@dataclass(frozen=True, kw_only=True)
class PlateRun(SegmentationRun):
    """A plate, its output and a recipe that fit each other; planes have indices as of all fields in one image.

    Attributes
    ----------
    source : PlateSource
        Where the fields are.
    fields, failures : mapping of int
        Those that were opened for this run, and why others were not.
    provenances : mapping of int to Provenance
        The record that is stored with the labels of each field.

    """

    source: PlateSource
    fields: Mapping[int, OpenField]
    failures: Mapping[int, str]
    provenances: Mapping[int, Provenance]

    @classmethod
    def prepare_fields(  # noqa: PLR0913
        cls,
        source: PlateSource,
        recipe: Recipe,
        window: Block,
        url: str,
        wanted: Collection[int],
        *,
        labels: str = SEGMENTATION,
        format: Version = "0.5",  # noqa: A002  as the YAML has it
        reuse_pixels: bool = True,
    ) -> Self:
        """Open and check fields of a plate, and make their output unless it exists.

        Parameters are as of `prepare`; `wanted` are the numbers of the fields. One that cannot be read costs itself.

        Raises
        ------
        ImageError
            If there is no plate, if none of the fields can be read, or if the output belongs to another plate.

        """
        plate = source.open(wanted)
        source.probe(plate, window)
        whole = replace(describe_run(plate, recipe, ""), level=source.level)
        records = {
            at: replace(whole, url=it.level.url, fingerprint=it.fingerprint.digest) for at, it in plate.fields.items()
        }
        made = {source.fields[at]: (it.level, records[at]) for at, it in plate.fields.items()}
        create_plate(url, plate, made, labels, version=format)
        output = open_plate_output(url, labels, source.fields, source.times, recipe.together)
        states = {at: it.fingerprint.state for at, it in plate.fields.items() if it.fingerprint.state}
        origins = open_plate_origins(output, states, reuse=reuse_pixels) if len(states) == len(made) else None
        return cls(
            plate.bare,
            output,
            recipe,
            whole,
            origins,
            (*remark_size(plate, recipe),),
            source=source,
            fields=plate.fields,
            failures=plate.failures,
            provenances=records,
        )

    @property
    @override
    def task(self) -> BlockTask:
        return replace(super().task, provenance=None)  # it is stored with each field when that was created

    @property
    @override
    def fingerprints(self) -> set[str]:
        return {it.fingerprint for it in self.provenances.values()}

    @override
    def provenance_of(self, plane: Plane) -> Provenance:
        return self.provenances[plane.t // len(self.source.times)]

    @override
    def name_planes(self, text: str) -> str:
        return name_fields(text, self.source.fields, self.source.times)

    @override
    def segment(
        self,
        client: Client,
        *blocks: Block,
        threads: int,
        stopped: Callable[[], bool] = lambda: False,
        tell: Tell = tell_nobody,
    ) -> Iterator[Result]:
        """Segment as for an image, after the failures of fields that were not opened."""
        for block in blocks:
            for plane in block.planes():
                if reason := self.failures.get(plane.t // len(self.source.times)):
                    yield PlaneFailure(plane, reason)
        parts = [replace(block, t=t) for block in blocks for t in runs(filter(self._is_open, block.t))]
        found: dict[Plane, Mapping[str, Any]] = {}
        try:
            for result in super().segment(client, *parts, threads=threads, stopped=stopped, tell=tell):
                if isinstance(result, PlaneSummary):
                    found[result.plane] = result.to_json()
                yield result if isinstance(result, PlaneSummary) else self._rename(result)
                if len(found) == RECORDED_AT_ONCE:
                    self._record(found)
        finally:
            self._record(found)

    def _record(self, found: dict[Plane, Mapping[str, Any]]) -> None:
        """Store records of what was found since the last time."""
        if found and isinstance(self.output, PlateOutput):
            write_plate_record(self.output, self.provenances, self.recipe.version, found)
        found.clear()

    def _is_open(self, t: int) -> bool:
        return t // len(self.source.times) in self.fields

    def _rename(self, failure: PlaneFailure) -> PlaneFailure:
        return replace(failure, reason=self.name_planes(failure.reason))
