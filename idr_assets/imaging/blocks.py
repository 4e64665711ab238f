"""Segment blocks of planes on dask workers: each worker reads, segments, writes and reads back by itself.

Which planes, on which cluster, and what becomes of the results is the caller's affair.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import dask
import dask.array as da
import numpy as np
import numpy.typing as npt
from distributed import Client, Future, KilledWorker, as_completed

from idr_assets.imaging.label_image import LabelImage
from idr_assets.imaging.planes import Block, Plane
from idr_assets.imaging.provenance import add_provenance
from idr_assets.imaging.read_back import NotAsWrittenError, check_written
from idr_assets.imaging.segmentation import SegmentationFunction, checked, renumbered, threshold_of
from idr_assets.imaging.source import Level

WORKER_DIED = (
    "the worker process that segmented it died, in company and then alone: the function ends it, crashes in native "
    "code, or takes more memory than there is. Try the function on this plane, or give each worker more memory."
)
"""Why a plane failed that kills its worker, which has no error of its own."""


@dataclass(frozen=True)
class PlaneSummary:
    """What was found in one plane.

    `threshold` is the intensity above which a pixel is foreground, None where the function has none; `foreground` is
    the share of labelled pixels; `minimum` and `maximum` are intensities; `saturated` is the share of pixels at the
    largest value of their dtype, None for dtypes that are no integers; `seconds` is the plane's part of its block.
    """

    plane: Plane
    objects: int
    threshold: float | None
    foreground: float
    minimum: float
    maximum: float
    saturated: float | None
    seconds: float


@dataclass(frozen=True)
class PlaneFailure:
    """Why one plane could not be segmented; `written` where it was stored, but did not read back as it was written."""

    plane: Plane
    reason: str
    written: bool = False


@dataclass(frozen=True)
class BlockTask:
    """Everything that the blocks of a run share; called with a block on a worker.

    `provenance` is noted in the output before the first plane is written, so that no plane is there without it.
    It holds addresses and metadata, never pixels.
    """

    level: Level
    output: LabelImage
    function: SegmentationFunction
    parameters: Mapping[str, Any] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __call__(self, block: Block) -> list[PlaneSummary]:
        """Read, segment and write the block's planes, read them back, and summarize each.

        Raises `NotAsWrittenError` where the output does not hold what was written.
        """
        started = perf_counter()
        pixels = self.level.read(block)
        stack = pixels.reshape(-1, *pixels.shape[3:])
        labels, thresholds = self.segment(stack)
        if self.provenance:
            add_provenance(self.output.url, self.provenance)
        planes = pixels, labels.reshape(pixels.shape)
        self.output.write(block, *planes)
        check_written(self.output, block, *planes)
        seconds = (perf_counter() - started) / len(block)
        return [
            _summary(plane, stack[index], labels[index], thresholds[index], seconds)
            for index, plane in enumerate(block.planes())
        ]

    def segment(self, stack: npt.NDArray[Any]) -> tuple[npt.NDArray[np.int32], list[float | None]]:
        """Evaluate the segmentation of a stack (n, y, x) once: labels (n, y, x) int32 and n thresholds."""
        planes = da.from_array(stack, chunks=(len(stack), *self.output.plane_chunks))
        lazy = self.function(planes, **self.parameters), threshold_of(self.function, planes, self.parameters)
        computed, thresholds = dask.compute(*lazy, scheduler="synchronous")
        name = getattr(self.function, "__qualname__", repr(self.function))
        labels = np.stack([renumbered(plane) for plane in checked(computed, stack.shape, name)])
        return labels, [None] * len(stack) if thresholds is None else thresholds.tolist()


def segment_blocks(client: Client, task: BlockTask, blocks: Iterable[Block]) -> Iterator[PlaneSummary | PlaneFailure]:
    """Segment blocks on a cluster and yield what became of each plane, as blocks end.

    A failing block does not stop the others; it is tried again plane by plane, so that one bad plane costs one plane.
    A plane that does not read back as it was written so gets a second chance, and then is a failure.
    A block whose worker died is tried again at the end, one plane at a time and nothing beside it: a worker takes with
    it whatever it held, and only so the plane that kills workers can be told from its neighbours.
    """
    pending = {_submit(client, task, block): block for block in blocks}
    suspects: list[Block] = []
    ended = as_completed(pending)
    for future in ended:
        block = pending.pop(future)
        outcome = _outcome(client, future)
        if isinstance(outcome, list):
            yield from outcome
        elif isinstance(outcome, KilledWorker):
            suspects += block.single_planes()
        elif len(block) == 1:
            yield _failure(block.planes()[0], outcome)
        else:
            retried = {_submit(client, task, single): single for single in block.single_planes()}
            pending |= retried
            ended.update(retried)
    for block in suspects:
        outcome = _outcome(client, _submit(client, task, block))
        yield from outcome if isinstance(outcome, list) else [_failure(block.planes()[0], outcome)]


def _submit(client: Client, task: BlockTask, block: Block) -> Future[Any]:
    return client.submit(task, block, pure=False)


def _outcome(client: Client, future: Future[Any]) -> list[PlaneSummary] | BaseException:
    """Wait for the summaries of a block, or why there are none; what died with a worker is computed anew."""
    done: list[list[PlaneSummary]] = client.gather([future], errors="skip")
    return done[0] if done else future.exception()


def _failure(plane: Plane, error: BaseException) -> PlaneFailure:
    reason = WORKER_DIED if isinstance(error, KilledWorker) else f"{type(error).__name__}: {error}"
    return PlaneFailure(plane, reason, written=isinstance(error, NotAsWrittenError))


def _summary(
    plane: Plane, pixels: npt.NDArray[Any], labels: npt.NDArray[np.int32], threshold: float | None, seconds: float
) -> PlaneSummary:
    return PlaneSummary(
        plane=plane,
        objects=int(labels.max()),
        threshold=threshold,
        foreground=float(np.count_nonzero(labels) / labels.size),
        minimum=float(pixels.min()),
        maximum=float(pixels.max()),
        saturated=_saturated(pixels),
        seconds=seconds,
    )


def _saturated(pixels: npt.NDArray[Any]) -> float | None:
    if pixels.dtype.kind not in "iu":
        return None
    return float(np.count_nonzero(pixels == np.iinfo(pixels.dtype).max) / pixels.size)
