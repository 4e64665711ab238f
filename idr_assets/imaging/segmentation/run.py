"""One run of a segmentation, from an address to stored labels: prepare it, then segment blocks of planes.

It needs no Dagster. An asset prepares, segments and reports; a script does the same with a dask client of its own.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Self

from distributed import Client

from idr_assets.imaging.ome_zarr.formats import Version
from idr_assets.imaging.output.creation import create_output
from idr_assets.imaging.output.origins import Origins, create_origins, find_origins
from idr_assets.imaging.output.output_image import SEGMENTATION, OutputImage
from idr_assets.imaging.output.provenance import Provenance
from idr_assets.imaging.output.read_back import checksums
from idr_assets.imaging.planes import Block, Plane
from idr_assets.imaging.reading.fingerprint import read_fingerprint
from idr_assets.imaging.reading.level import Level
from idr_assets.imaging.reading.source import Source
from idr_assets.imaging.segmentation.blocks import BlockTask, segment_blocks
from idr_assets.imaging.segmentation.independence import DEPENDENT
from idr_assets.imaging.segmentation.plane_results import PlaneFailure, PlaneSummary
from idr_assets.imaging.segmentation.recipe import Recipe, version_of
from idr_assets.imaging.segmentation.remarks import Remark, remark_large_volumes, remark_other_sources, remark_results

PACKAGES = ("idr_assets", "dask-image", "scipy", "zarr")
"""Packages whose versions the labels depend on."""

OVERWRITTEN = (
    "it was overwritten meanwhile by another run, or can no longer be read, so that what this run found of it is not "
    "what is stored. Materialize it again while no other run writes it."
)

type Result = PlaneSummary | PlaneFailure


@dataclass(frozen=True)
class SegmentationRun:
    """A source, an output and a recipe that fit each other.

    Attributes
    ----------
    level : Level
        The source, opened, checked and probed.
    output : OutputImage
        Where pixels and labels go.
    recipe : Recipe
        What makes labels of pixels.
    provenance : Provenance
        The record that is stored with the labels.
    origins : Origins or None
        Which pixels the output has already; None where that cannot be known.
    remarks : tuple of Remark
        What a person should know before planes are segmented.

    """

    level: Level
    output: OutputImage
    recipe: Recipe
    provenance: Provenance
    origins: Origins | None
    remarks: tuple[Remark, ...] = ()

    @classmethod
    def prepare(  # noqa: PLR0913
        cls,
        source: Source,
        recipe: Recipe,
        window: Block,
        url: str,
        *,
        labels: str = SEGMENTATION,
        format: Version = "0.5",  # noqa: A002  as the YAML has it
        reuse_pixels: bool = True,
    ) -> Self:
        """Open and check a source, and make its output unless it exists.

        Parameters
        ----------
        source : Source
            The level to segment.
        recipe : Recipe
            What makes labels of its pixels.
        window : Block
            The planes that may be segmented; one of them is probed unless an earlier run did that.
        url : str
            Where the output lies.
        labels : str
            Name of its label group.
        format : {"0.5", "0.4"}
            Version of OME-Zarr of an output that does not exist yet.
        reuse_pixels : bool
            Whether pixels that the output has of the source as it is now are read from there.

        Raises
        ------
        ImageError
            Where the source does not exist, is not what is expected or cannot be read, or where the output belongs to
            another image. Nothing is written then.

        """
        level = source.open()
        source.check(level)
        fingerprint = read_fingerprint(level, source.storage_options)
        state = fingerprint.state
        known = find_origins(url, level, state, reuse=reuse_pixels) if state else None
        if known is None or not known.holds(window.middle):
            source.probe(level, window)
        output = create_output(url, level, labels, version=format)
        origins = create_origins(output, level, state, reuse=reuse_pixels) if state else None
        provenance = _provenance(level, recipe, fingerprint.digest)
        notes = [*level.remarks, *filter(None, [source.describe_growth(level)])]
        remarks = [Remark(logging.WARNING, note) for note in notes]
        remarks += [*remark_other_sources(level, url), *remark_large_volumes(level, recipe)]
        return cls(level, output, recipe, provenance, origins, tuple(remarks))

    def segment(self, client: Client, block: Block, threads: int) -> Iterator[Result]:
        """Segment the planes of a block on a dask cluster, and yield what became of each as it ends.

        `threads` are those among which the planes are divided. A plane that fails costs no other plane, unless the
        recipe works on volumes: then it costs those of its volume.
        """
        task = BlockTask(
            self.level, self.output, self.recipe.function, self.recipe.parameters, self.provenance, self.origins
        )
        return segment_blocks(client, task, self.recipe.works_on.cut(block, self.level, threads))

    def confirm(self, found: Sequence[Result]) -> list[Result]:
        """Make a failure of each summary of a plane that the output no longer holds as this run wrote it.

        Another run may write the same planes at once. Look last, before a report: only a run that writes a plane after
        this look and reports it before this run does stays unseen.

        Where the labels of any plane depend on those that were segmented with it, all are failures, and what this run
        stored is removed: none can be trusted.
        """
        summaries = [result for result in found if isinstance(result, PlaneSummary)]
        stored = checksums(self.output, [summary.plane for summary in summaries])
        seen = zip(summaries, stored, strict=True)
        lost = {summary.plane for summary, checksum in seen if checksum is None or checksum != summary.checksum}
        found = [PlaneFailure(it.plane, OVERWRITTEN, written=True) if it.plane in lost else it for it in found]
        if not any(isinstance(it, PlaneFailure) and it.dependent for it in found):
            return found
        return [it if isinstance(it, PlaneFailure) else self._distrust(it.plane) for it in found]

    def _distrust(self, plane: Plane) -> PlaneFailure:
        self.output.remove(plane.block)
        return PlaneFailure(plane, DEPENDENT, dependent=True)

    def remark_on(self, found: Sequence[Result]) -> Iterator[Remark]:
        """Say what is unusual in what became of planes."""
        return remark_results(self.level, self.output, self.recipe, found)


def _provenance(level: Level, recipe: Recipe, fingerprint: str) -> Provenance:
    return Provenance(
        url=level.url,
        level=level.path,
        channels=recipe.channels,
        fingerprint=fingerprint,
        function=recipe.path,
        version=version_of(recipe.function),
        parameters=recipe.parameters,
        packages={package: version(package) for package in PACKAGES},
    )
