"""Segment blocks of planes on dask workers: each worker reads, segments, writes and reads back by itself.

Which planes, on which cluster, and what becomes of the results is the caller's affair.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from time import perf_counter
from typing import Any, TypeGuard

from distributed import Client, KilledWorker

from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.output.origins import Origins
from idr_assets.imaging.output.output_image import OutputImage
from idr_assets.imaging.output.provenance import Provenance, add_provenance
from idr_assets.imaging.output.read_back import NotAsWrittenError, check_written, checksums
from idr_assets.imaging.planes import Block, Plane
from idr_assets.imaging.reading.level import Level
from idr_assets.imaging.segmentation.block_pixels import read_pixels
from idr_assets.imaging.segmentation.decorators import SegmentationFunction
from idr_assets.imaging.segmentation.failures import fail_planes
from idr_assets.imaging.segmentation.in_flight import ClusterLostError, InFlight, Outcome
from idr_assets.imaging.segmentation.independence import compare_alone
from idr_assets.imaging.segmentation.label_numbers import Labels, Pixels
from idr_assets.imaging.segmentation.labelling import Thresholds, label, name_of
from idr_assets.imaging.segmentation.plane_results import PlaneFailure, PlaneSummary, summarize
from idr_assets.imaging.segmentation.works_on import works_on
from idr_assets.imaging.stores.zarr_settings import own_settings

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class BlockTask:
    """Everything that the blocks of a run share; called with a block on a worker.

    `provenance` is noted in the output before the first plane is written, so that no plane is there without it.
    `origins` tells which pixels the output has already; without them all are read from the level.
    It holds addresses and metadata, never pixels. With `gaussian_threshold` a call takes some 20 bytes of
    memory for each pixel of 16 bits; each thread of a worker calls with one block at a time.
    """

    level: Level
    output: OutputImage
    function: SegmentationFunction
    parameters: Mapping[str, Any] = field(default_factory=dict)
    provenance: Provenance | None = None
    origins: Origins | None = None

    @own_settings
    def __call__(self, block: Block, *, again: bool = False) -> list[PlaneSummary]:
        """Read, segment and write the block's planes, read them back, and summarize each.

        Where the function works on volumes, the whole volumes are read and segmented, and the block's planes written.
        `again` reads piece by piece, so that a fault which passes costs a piece, and one that stays names its plane.
        Raises `NotAsWrittenError` where the output does not hold what was written; it then has no labels of the block.
        """
        started = perf_counter()
        read = works_on(self.function).reach(block, self.level.shape[2])
        pixels, reused = read_pixels(self.level, self.origins, block, read, again=again)
        labels, thresholds = self.segment(pixels)
        inside = slice(block.z.start - read.z.start, block.z.stop - read.z.start)
        pixels, labels, thresholds = pixels[:, :, inside], labels[:, :, inside], thresholds[:, :, inside]
        compared = self._compare_alone(block, pixels, labels)
        if self.provenance:
            add_provenance(self.output, self.provenance)
        self.output.write(block, pixels, labels)
        stored = checksums(self.output, block.planes())  # before the comparison, which tells that they are of this run
        try:
            check_written(self.output, block, pixels, labels)
        except NotAsWrittenError:
            self.output.remove(block)  # they may lie upon the pixels of another run
            raise
        fetched = self.origins if not reused.issuperset(block.planes()) else None
        origins = fetched.of(block, pixels) if fetched else [None] * len(block)
        seconds = (perf_counter() - started) / len(block)
        stack = (values.reshape(-1, *values.shape[3:]) for values in (pixels, labels, thresholds))
        each = zip(block.planes(), stored, origins, *stack, strict=True)
        return [
            summarize(
                plane,
                *found,
                seconds=seconds,
                checksum=checksum,
                origin=origin,
                reused=plane in reused,
                compared=plane in compared,
            )
            for plane, checksum, origin, *found in each
        ]

    def segment(self, pixels: Pixels) -> tuple[Labels, Thresholds]:
        """Evaluate the segmentation of pixels (t, c, z, y, x) once, see `label`."""
        return label(self.function, self.parameters, pixels, self.output.plane_chunks)

    def _compare_alone(self, block: Block, pixels: Pixels, labels: Labels) -> set[Plane]:
        """Label a few planes of a stack alone too, see `compare_alone`; none where the function works on another."""
        if works_on(self.function).unit != "stack":
            return set()
        return compare_alone(block, pixels, labels, lambda plane: self.segment(plane)[0], name_of(self.function))


def segment_blocks(client: Client, task: BlockTask, blocks: Iterable[Block]) -> Iterator[PlaneSummary | PlaneFailure]:
    """Segment blocks on a cluster and yield what became of each plane, as blocks end.

    A failing block does not stop the others; it is tried again, once and plane by plane, so that one bad plane costs
    one plane; volume by volume where the function works on these. A plane that does not read back as it was written so
    gets a second chance, and then is a failure.
    A block whose worker died is tried again at the end, one plane at a time and nothing beside it: a worker takes with
    it whatever it held, and only so the plane that kills workers can be told from its neighbours.
    A block of planes that depend on each other is not tried again: alone, its planes would hide it.
    Where the cluster is lost, so are all planes that have not ended: each is a failure that says so.
    """
    flight, parts = InFlight(client, partial(segment_block, task)), works_on(task.function).parts
    flight.send(blocks)
    again: set[Block] = set()
    suspects: list[Block] = []
    for block, outcome in _noted(flight.outcomes(), task.origins):
        if _is_stored(outcome):
            yield from outcome
        elif isinstance(outcome, KilledWorker):
            suspects += parts(block)
        elif isinstance(outcome, ClusterLostError) or block in again or _is_dependent(outcome):
            yield from outcome if isinstance(outcome, list) else fail_planes(block, outcome)
        else:
            again.update(parts(block))
            flight.send(parts(block), again=True)
    for suspect in suspects:
        flight.send([suspect], again=True)
        for block, outcome in _noted(flight.outcomes(), task.origins):
            yield from outcome if isinstance(outcome, list) else fail_planes(block, outcome)


def segment_block(task: BlockTask, block: Block, *, again: bool) -> list[PlaneSummary] | list[PlaneFailure]:
    """Call the task and return what it raises: the worker would log that for each block, with dask's own internals."""
    try:
        return task(block, again=again)
    except Exception as error:  # noqa: BLE001  a failure of the block, whatever it is
        return fail_planes(block, error)


def _noted(outcomes: Iterator[tuple[Block, Outcome]], origins: Origins | None) -> Iterator[tuple[Block, Outcome]]:
    """Note the origins of what is stored: here, for planes of several blocks share a chunk of them.

    Where they cannot be noted, a warning tells it once: the planes are stored all the same.
    """
    for block, outcome in outcomes:
        try:
            if origins and _is_stored(outcome):
                origins.note(block, [summary.origin for summary in outcome])
        except ImageError as error:
            logger.warning("%s Materialized again, they and all that follow will be fetched anew.", error)
            origins = None
        yield block, outcome


def _is_stored(outcome: Outcome) -> TypeGuard[list[PlaneSummary]]:
    return isinstance(outcome, list) and not any(isinstance(plane, PlaneFailure) for plane in outcome)


def _is_dependent(outcome: Outcome) -> bool:
    return isinstance(outcome, list) and any(isinstance(plane, PlaneFailure) and plane.dependent for plane in outcome)
