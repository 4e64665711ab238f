"""One segmentation run, from an address to stored labels: prepare it, then segment blocks of planes.

It needs no Dagster. An asset prepares, segments and reports; a script does the same with its own dask client.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Self

from distributed import Client

from idr_assets.imaging.ome_zarr.formats import Version
from idr_assets.imaging.output.creation import create_output
from idr_assets.imaging.output.origins import Origins, create_origins, find_origins
from idr_assets.imaging.output.output_image import SEGMENTATION, OutputImage
from idr_assets.imaging.output.provenance import Provenance, read_together
from idr_assets.imaging.planes import Block, Plane
from idr_assets.imaging.reading.fingerprint import read_fingerprint
from idr_assets.imaging.reading.level import Level
from idr_assets.imaging.reading.source import Source
from idr_assets.imaging.segmentation.block_task import BlockTask
from idr_assets.imaging.segmentation.blocks import segment_blocks
from idr_assets.imaging.segmentation.confirmation import confirm_planes
from idr_assets.imaging.segmentation.findings import Findings
from idr_assets.imaging.segmentation.lengths import resolve_lengths
from idr_assets.imaging.segmentation.models.extras import find_versions
from idr_assets.imaging.segmentation.models.weights import map_weights, pin_weights
from idr_assets.imaging.segmentation.plane_results import Result
from idr_assets.imaging.segmentation.recipe import Recipe
from idr_assets.imaging.segmentation.remarks import remark_before, remark_findings
from idr_assets.imaging.segmentation.size_remarks import Remark
from idr_assets.imaging.segmentation.tiled_planes import Tell, tell_nobody
from idr_assets.imaging.segmentation.workers import SHARED_BY, Needs

PACKAGES = ("idr_assets", "dask-image", "scipy", "zarr")
"""Packages whose versions the labels depend on."""


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
        How labels are made from pixels.
    provenance : Provenance
        The record that is stored with the labels.
    origins : Origins or None
        Which pixels the output has already; None if that cannot be known.
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
            How labels are made from its pixels.
        window : Block
            The planes that may be segmented; one of them is probed, unless an earlier run did so.
        url : str
            Address of the output.
        labels : str
            Name of its label group.
        format : {"0.5", "0.4"}
            Version of OME-Zarr of an output that does not exist yet.
        reuse_pixels : bool
            Whether pixels of the source as it is now that the output has already are read from there.

        Raises
        ------
        ImageError
            If the source does not exist, is not as expected or cannot be read, or if the output belongs to another
            image. Nothing is written then.

        """
        level = source.open()
        source.check(level)
        fingerprint = read_fingerprint(level, source.storage_options)
        state, provenance = fingerprint.state, describe_run(level, recipe, fingerprint.digest)
        known = find_origins(url, level, state, reuse=reuse_pixels) if state else None
        if known is None or not known.holds(window.middle):
            source.probe(level, window)
        output = create_output(url, level, labels, version=format)
        others = {name: channels for name, channels in read_together(url).items() if name != labels}
        own = {labels: recipe.together} if recipe.together else {}
        output = replace(output, together=others | own)
        origins = create_origins(output, level, state, reuse=reuse_pixels) if state else None
        return cls(level, output, recipe, provenance, origins, remark_before(source, level, url, recipe))

    def segment(
        self,
        client: Client,
        *blocks: Block,
        threads: int,
        stopped: Callable[[], bool] = lambda: False,
        tell: Tell = tell_nobody,
    ) -> Iterator[Result]:
        """Segment the planes of blocks on a dask cluster, and yield what became of each as it ends.

        The planes are divided among `threads`. A plane that fails costs no other plane, unless the recipe works on
        volumes: then it costs the planes of its volume. Once `stopped` says so, only results of planes follow that are
        stored, or were being stored. `tell` is told how far a plane is that is segmented by tiles.
        """
        cut = (self.recipe.works_on.cut(block, self.level, threads) for block in blocks)
        needs = Needs(self.recipe.needs, SHARED_BY if self.recipe.model else 1)
        return segment_blocks(client, self.task, chain.from_iterable(cut), stopped, tell=tell, needs=needs)

    @property
    def task(self) -> BlockTask:
        """What a worker does with each block."""
        return BlockTask(
            self.level,
            self.output,
            self.recipe.function,
            self.provenance.parameters,
            self.provenance,
            self.origins,
            recipe_version=self.recipe.version,
            works=self.recipe.works_on,
        )

    @property
    def fingerprints(self) -> set[str]:
        """The fingerprints of what is read."""
        return {self.provenance.fingerprint}

    def provenance_of(self, plane: Plane) -> Provenance:  # noqa: ARG002  the same for each plane of an image
        """Return the record that is stored with the labels of a plane."""
        return self.provenance

    def name_planes(self, text: str) -> str:
        """Name planes in a text as the image's users do."""
        return text

    def confirm(self, found: Sequence[Result]) -> list[Result]:
        """Turn the summary of each plane that the output no longer contains as this run wrote it into a failure.

        Another run may write the same planes at the same time. Call this last, right before a report: a plane that
        another run writes after this look and reports before this run does stays unnoticed.
        """
        return confirm_planes(self.output, found)

    def remark_on(self, found: Findings) -> Iterator[Remark]:
        """Say what is unusual about what was found in planes."""
        return remark_findings(self.level, self.output, self.recipe, found)


def describe_run(level: Level, recipe: Recipe, fingerprint: str) -> Provenance:
    """Describe how a run makes labels from a level with this fingerprint."""
    parameters = resolve_lengths(recipe.function, recipe.parameters, level.geometry)
    parameters = map_weights(recipe.function, parameters, pin_weights)
    return Provenance(
        url=level.url,
        level=level.path,
        channels=recipe.channels,
        fingerprint=fingerprint,
        function=recipe.path,
        version=recipe.function_version,
        parameters=parameters,
        packages=find_versions((*PACKAGES, *(recipe.model.packages if recipe.model else ()))),
        given=recipe.parameters if parameters != recipe.parameters else {},
        inputs=recipe.inputs,
        together=recipe.together,
        neighbours={axis: most for axis, (most, _) in recipe.neighbours.items()},
    )
