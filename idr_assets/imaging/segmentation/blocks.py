"""Segment blocks of planes on dask workers: each worker reads, segments, writes and reads back by itself.

Which planes, on which cluster, and what becomes of the results is the caller's affair.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from inspect import unwrap
from time import perf_counter
from traceback import extract_tb
from typing import Any, TypeGuard

import dask
import dask.array as da
import numpy as np
import numpy.typing as npt
from distributed import Client, KilledWorker

from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.output.origins import Origins
from idr_assets.imaging.output.output_image import OutputImage
from idr_assets.imaging.output.provenance import Provenance, add_provenance
from idr_assets.imaging.output.read_back import NotAsWrittenError, check_written, checksums
from idr_assets.imaging.planes import Block, Plane
from idr_assets.imaging.reading.level import Level
from idr_assets.imaging.segmentation.functions import SegmentationFunction, threshold_of
from idr_assets.imaging.segmentation.in_flight import ClusterLostError, InFlight, Outcome
from idr_assets.imaging.segmentation.label_numbers import checked, renumbered
from idr_assets.imaging.segmentation.plane_results import PlaneFailure, PlaneSummary, summarize
from idr_assets.imaging.stores.zarr_settings import own_settings

logger = logging.getLogger(__name__)

WORKER_DIED = (
    "the worker process that segmented it died, in company and then alone: the function ends it, crashes in native "
    "code, or takes more memory than there is. Try the function on this plane, or give each worker more memory."
)
"""Why a plane failed that kills its worker, which has no error of its own."""


ENDINGS = (SystemExit, KeyboardInterrupt)
"""What ends the thread of a dask worker, so that a run would wait for it for ever, unless it is caught."""


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
    def __call__(self, block: Block) -> list[PlaneSummary]:
        """Read, segment and write the block's planes, read them back, and summarize each.

        Raises `NotAsWrittenError` where the output does not hold what was written; it then has no labels of the block.
        """
        started = perf_counter()
        pixels, reused = self._read(block)
        stack = pixels.reshape(-1, *pixels.shape[3:])
        labels, thresholds = self.segment(stack)
        if self.provenance:
            add_provenance(self.output, self.provenance)
        planes = pixels, labels.reshape(pixels.shape)
        self.output.write(block, *planes)
        stored = checksums(self.output, block.planes())  # before the comparison, which tells that they are of this run
        try:
            check_written(self.output, block, *planes)
        except NotAsWrittenError:
            self.output.remove(block)  # they may lie upon the pixels of another run
            raise
        fetched = self.origins if len(reused) < len(block) else None
        origins = fetched.of(block, pixels) if fetched else [None] * len(block)
        seconds = (perf_counter() - started) / len(block)
        each = zip(block.planes(), stored, origins, stack, labels, thresholds, strict=True)
        return [
            summarize(plane, *found, seconds=seconds, checksum=checksum, origin=origin, reused=plane in reused)
            for plane, checksum, origin, *found in each
        ]

    def _read(self, block: Block) -> tuple[npt.NDArray[Any], set[Plane]]:
        return self.origins.read(self.level, block) if self.origins else (self.level.read(block), set())

    def segment(self, stack: npt.NDArray[Any]) -> tuple[npt.NDArray[np.int32], list[float | None]]:
        """Evaluate the segmentation of a stack (n, y, x) once: labels (n, y, x) int32 and n thresholds."""
        planes = da.from_array(stack, chunks=(len(stack), *self.output.plane_chunks), name=False)  # else it is hashed
        name = getattr(self.function, "__qualname__", repr(self.function))
        try:
            lazy = _lazy(self.function(planes, **self.parameters), name)
            thresholds = threshold_of(self.function, planes, self.parameters)
            computed, thresholds = dask.compute(lazy, thresholds, scheduler="synchronous")
        except ENDINGS as error:
            raise _ended_itself(name, error) from error
        except Exception as error:
            _note_place(error, self.function)
            raise
        labels = checked(computed, stack.shape, name)
        found = list(labels)
        numbered = [renumbered(plane) for plane in found]
        if any(new is not old for new, old in zip(numbered, found, strict=True)):
            labels = np.stack(numbered)
        return labels, [None] * len(stack) if thresholds is None else thresholds.tolist()


def _lazy(labels: object, name: str) -> da.Array:
    """Refuse what a function of one plane makes of a stack: it mixes planes that happen to be segmented together."""
    if isinstance(labels, da.Array):
        return labels
    message = (
        f"{name} returned {type(labels).__name__} for a stack of planes (n, y, x), not a lazy dask array, so that its "
        "labels are not used. If it is a function of one plane, write @per_plane above it."
    )
    raise TypeError(message)


def _note_place(error: Exception, function: SegmentationFunction) -> None:
    """Note the line of the function's file that raised an error, which comes back from a worker without traceback."""
    file = getattr(getattr(unwrap(function), "__code__", None), "co_filename", None)
    for frame in [frame for frame in extract_tb(error.__traceback__) if frame.filename == file][-1:]:
        error.add_note(f"in {frame.name}, {frame.filename}:{frame.lineno}")


def _ended_itself(name: str, error: BaseException) -> RuntimeError:
    return RuntimeError(
        f"{name} raised {error!r}, which is to end a program: its planes have no labels. Call no sys.exit in a "
        "segmentation; return labels, or raise an error such as ValueError."
    )


def segment_blocks(client: Client, task: BlockTask, blocks: Iterable[Block]) -> Iterator[PlaneSummary | PlaneFailure]:
    """Segment blocks on a cluster and yield what became of each plane, as blocks end.

    A failing block does not stop the others; it is tried again, once and plane by plane, so that one bad plane costs
    one plane. A plane that does not read back as it was written so gets a second chance, and then is a failure.
    A block whose worker died is tried again at the end, one plane at a time and nothing beside it: a worker takes with
    it whatever it held, and only so the plane that kills workers can be told from its neighbours.
    Where the cluster is lost, so are all planes that have not ended: each is a failure that says so.
    """
    flight = InFlight(client, partial(segment_block, task))
    flight.send(blocks)
    again: set[Block] = set()
    suspects: list[Block] = []
    for block, outcome in _noted(flight.outcomes(), task.origins):
        if _is_stored(outcome):
            yield from outcome
        elif isinstance(outcome, KilledWorker):
            suspects += block.single_planes()
        elif isinstance(outcome, ClusterLostError) or block in again:
            yield from outcome if isinstance(outcome, list) else _failures(block, outcome)
        else:
            again.update(block.single_planes())
            flight.send(block.single_planes())
    for suspect in suspects:
        flight.send([suspect])
        for block, outcome in _noted(flight.outcomes(), task.origins):
            yield from outcome if isinstance(outcome, list) else _failures(block, outcome)


def segment_block(task: BlockTask, block: Block) -> list[PlaneSummary] | list[PlaneFailure]:
    """Call the task and return what it raises: the worker would log that for each block, with dask's own internals."""
    try:
        return task(block)
    except Exception as error:  # noqa: BLE001  a failure of the block, whatever it is
        return _failures(block, error)


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


def _failures(block: Block, error: BaseException) -> list[PlaneFailure]:
    if isinstance(error, KilledWorker):
        reason = WORKER_DIED
    else:
        told = ", ".join([str(error), *getattr(error, "__notes__", ())])
        reason = told if isinstance(error, ClusterLostError) else f"{type(error).__name__}: {told}"
    written = isinstance(error, NotAsWrittenError)
    return [PlaneFailure(plane, reason, written) for plane in block.planes()]
