"""The work of a dask worker on a block of planes: read, segment, write, read back."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

from idr_assets.imaging.output.origins import Origins
from idr_assets.imaging.output.output_image import OutputImage
from idr_assets.imaging.output.plane_records import write_record
from idr_assets.imaging.output.provenance import Provenance, add_provenance
from idr_assets.imaging.output.read_back import NotAsWrittenError, prove_written
from idr_assets.imaging.output.writing import remove_labels, store_planes
from idr_assets.imaging.planes import Block, Plane, within
from idr_assets.imaging.reading.level import Level
from idr_assets.imaging.segmentation.block_pixels import read_pixels
from idr_assets.imaging.segmentation.failures import fail_planes
from idr_assets.imaging.segmentation.independence import MODEL_ROUNDING, compare_alone
from idr_assets.imaging.segmentation.label_numbers import Labels, Pixels
from idr_assets.imaging.segmentation.labelling import Part, Thresholds, find_name, label
from idr_assets.imaging.segmentation.lifting import SegmentationFunction
from idr_assets.imaging.segmentation.models.loading import find_model
from idr_assets.imaging.segmentation.plane_results import PlaneFailure, PlaneSummary, summarize
from idr_assets.imaging.segmentation.storing import begin_storing
from idr_assets.imaging.segmentation.works_on import WorksOn, works_on
from idr_assets.imaging.stores.zarr_settings import own_settings


@dataclass(frozen=True)
class BlockTask:
    """What all blocks of a run share; a worker calls it with one block.

    It holds addresses and metadata, never pixels. With `gaussian_threshold`, a call takes about 20 bytes of memory for
    each pixel of 16 bits. Each thread of a worker works on one block at a time.

    Attributes
    ----------
    level, output : Level, OutputImage
        Where pixels come from, and where pixels and labels go.
    function, parameters : callable, mapping
        The segmentation function, and its keyword arguments.
    provenance : Provenance or None
        The record that is stored before the first plane, so that no plane is ever without it.
    origins : Origins or None
        Which pixels the output has already; if None, all are read from the level.
    compared : frozenset of Block
        The blocks of which a few planes are segmented alone too.
    recipe_version : str
        Hash of the recipe, for the records of planes; without it there are none.
    works : WorksOn or None
        What the function works on in this recipe; as it is declared if None.

    """

    level: Level
    output: OutputImage
    function: SegmentationFunction
    parameters: Mapping[str, Any] = field(default_factory=dict)
    provenance: Provenance | None = None
    origins: Origins | None = None
    compared: frozenset[Block] = frozenset()
    recipe_version: str = ""
    works: WorksOn | None = None

    @own_settings
    def __call__(self, block: Block, *, again: bool = False) -> list[PlaneSummary]:
        """Read, segment and write the planes of a block, read them back, and summarize each.

        If the function works on volumes, whole volumes are read and segmented, but only the block's planes are written.

        Parameters
        ----------
        block : Block
            The planes.
        again : bool
            Whether the block failed before, see `read_pixels`.

        Raises
        ------
        NotAsWrittenError
            If the output does not contain what was written. It then has no labels of the block.

        """
        started = perf_counter()
        read = self.works_on.reach(block, self.level.shape)
        pixels, reused = read_pixels(self.level, self.origins, block, read, why=self.works_on.why, again=again)
        segmenting = perf_counter()
        labels, thresholds = self.segment(pixels, block, read)
        segmenting = (perf_counter() - segmenting) / len(block)
        compared = self._compare_alone(block, labels, pixels, read)
        stored = self.output.pixel_block(block)
        pixels = pixels if stored == read else pixels[within(read, stored)]
        checksums = self._store(block, pixels, labels)
        origins = self._compute_origins(stored, pixels, reused)
        seconds = (perf_counter() - started) / len(block)
        own = pixels if stored == block else pixels[within(stored, block)]
        stack = (values.reshape(-1, *values.shape[3:]) for values in (own, labels, thresholds))
        each = zip(block.planes(), checksums, *stack, strict=True)
        summaries = []
        for plane, checksum, *found in each:
            sources = self.output.pixel_block(plane.block).planes()
            summary = summarize(
                plane,
                *found,
                seconds=seconds,
                checksum=checksum,
                origins=tuple((it, origins[it]) for it in sources if it in origins),
                reused=reused.issuperset(sources),
                compared=plane in compared,
                segmenting=segmenting,
            )
            summaries.append(summary)
        if not self.compared:  # until blocks are compared, it is open whether their planes depend on each other
            self.record(summaries)
        return summaries

    def _compute_origins(self, stored: Block, pixels: Pixels, reused: set[Plane]) -> dict[Plane, bytes]:
        """Compute the origin of each plane whose pixels are stored; none if all were read from the output."""
        if not self.origins or reused.issuperset(stored.planes()):
            return {}
        return dict(zip(stored.planes(), self.origins.compute(stored, pixels), strict=True))

    def record(self, found: Iterable[PlaneSummary]) -> None:
        """Store a record of each plane, by which another run or instance may adopt it."""
        if self.provenance and self.recipe_version:
            write_record(self.output, self.provenance, self.recipe_version, {it.plane: it.to_json() for it in found})

    @property
    def works_on(self) -> WorksOn:
        """What the function works on."""
        return self.works or works_on(self.function)

    def segment(self, pixels: Pixels, block: Block, read: Block) -> tuple[Labels, Thresholds]:
        """Compute the labels of a block once, from the pixels (t, c, z, y, x) of all that was read; see `label`."""
        part = Part(self.works_on, block, read)
        return label(self.function, self.parameters, pixels, self.output.plane_chunks, part)

    def _compare_alone(self, block: Block, labels: Labels, pixels: Pixels, read: Block) -> set[Plane]:
        """Segment a few planes alone too, see `compare_alone`, if the block is one of those that are compared."""
        if block not in self.compared:
            return set()

        def segment_alone(plane: Block) -> Labels:
            alone = self.works_on.reach(plane, self.level.shape)
            return self.segment(pixels[within(read, alone)], plane, alone)[0]

        rounding = MODEL_ROUNDING if find_model(self.function) else -1.0
        return compare_alone(block, labels, segment_alone, find_name(self.function), rounding)

    def _store(self, block: Block, pixels: Pixels, labels: Labels) -> list[str | None]:
        """Write planes and read them back; return their checksums."""
        if self.provenance:
            add_provenance(self.output, self.provenance)
        begin_storing()
        bodies = store_planes(self.output, block, pixels, labels)
        try:
            return prove_written(self.output, block, pixels, labels, bodies)
        except NotAsWrittenError:
            remove_labels(self.output, block)  # they may lie on the pixels of another run
            raise


def run_task(task: BlockTask, block: Block, *, again: bool) -> list[PlaneSummary] | list[PlaneFailure]:
    """Call a task and return failures in place of an error, which the worker would log with dask's internals."""
    try:
        return task(block, again=again)
    except Exception as error:  # noqa: BLE001  a failure of the block, whatever it is
        return fail_planes(block, error)
