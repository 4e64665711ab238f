"""Segment blocks of planes on a dask cluster, and try those again that fail.

Which planes, on which cluster, and what becomes of the results is decided elsewhere.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from typing import Any

from distributed import Client, KilledWorker

from idr_assets.imaging.planes import Block, evenly_spread
from idr_assets.imaging.segmentation.block_task import BlockTask, run_task
from idr_assets.imaging.segmentation.confirmation import remove_own_labels
from idr_assets.imaging.segmentation.cutting import cuts
from idr_assets.imaging.segmentation.failures import fail_planes
from idr_assets.imaging.segmentation.in_flight import ClusterLostError, InFlight, Outcome
from idr_assets.imaging.segmentation.independence import BLOCKS_COMPARED, DEPENDENT, UNPROVEN
from idr_assets.imaging.segmentation.origin_notes import OriginNotes, is_stored
from idr_assets.imaging.segmentation.pacing import Pace
from idr_assets.imaging.segmentation.plane_results import PlaneFailure, PlaneSummary, Result
from idr_assets.imaging.segmentation.tile_jobs import Fly
from idr_assets.imaging.segmentation.tiled_planes import Tell, segment_planes, tell_nobody
from idr_assets.imaging.segmentation.workers import Needs
from idr_assets.imaging.segmentation.works_on import WorksOn


def segment_blocks(  # noqa: PLR0913  the last two are for few
    client: Client,
    task: BlockTask,
    blocks: Iterable[Block],
    stopped: Callable[[], bool] = lambda: False,
    *,
    tell: Tell = tell_nobody,
    needs: Needs | None = None,
) -> Iterator[Result]:
    """Segment blocks on a cluster, and yield what became of each plane as blocks end.

    A block that fails does not stop the others. It is tried once more, plane by plane, so that a bad plane costs one
    plane; volume by volume if the function works on volumes. So a plane that does not read back as it was written gets
    a second chance. There are four exceptions:

    - If the worker of a block died, its planes are tried again at the end, one at a time with nothing beside it. All
      that a worker works on is lost when it dies, so only in this way the plane that kills workers is found.
    - If the device of a worker's model failed, that worker is ended if there is another one, which gets the block.
    - Planes that depend on each other are not tried again: alone, they would hide it. Nor are planes of a store that
      no longer answers.
    - If the cluster is lost, every plane that has not ended is a failure that says so.

    If the function works on stacks, a few planes of two blocks are segmented alone too before any other block is sent.
    If labels of one depend on the planes around it, all planes are failures, and those of the two blocks are removed.

    Once `stopped` says so, only results of planes follow that are stored, or were being stored. If the function says
    how large planes are cut into tiles, these are segmented one after the other; `tell` is told how far each is.
    """
    works = task.works_on
    fly = partial(InFlight[Any], client, stopped=stopped, needs=needs)
    if cuts(works, task.level.plane_shape):
        yield from segment_planes(fly, task, chain.from_iterable(it.planes() for it in blocks), tell)
        return
    blocks = list(blocks)
    first = evenly_spread(blocks, BLOCKS_COMPARED) if works.unit == "stack" else []
    notes = OriginNotes(task.origins, task.output)
    dispatcher = _Dispatcher(fly, works, notes, Pace(works, task.level))
    found = list(dispatcher.segment(replace(task, compared=frozenset(first)), first))
    others = [block for block in blocks if block not in first]
    if _is_dependent(found):
        remove_own_labels(task.output, found)
        yield from map(_distrust, found)
        yield from (PlaneFailure(plane, UNPROVEN, dependent=True) for block in others for plane in block.planes())
    else:
        task.record([result for result in found if isinstance(result, PlaneSummary)])
        yield from found
        dispatcher.pace.queue(others)
        yield from dispatcher.segment(task)


@dataclass(frozen=True)
class _Dispatcher:
    """Sends blocks to a cluster, and tries those again that fail."""

    fly: Fly
    works: WorksOn
    notes: OriginNotes
    pace: Pace

    def segment(self, task: BlockTask, blocks: Iterable[Block] = ()) -> Iterator[Result]:
        """Segment blocks as they are, and those that wait for their pace."""
        flight: InFlight[PlaneSummary] = self.fly(partial(run_task, task))
        try:
            flight.send(blocks)
            yield from self._outcomes(flight)
        finally:
            flight.cancel()

    def _outcomes(self, flight: InFlight[PlaneSummary]) -> Iterator[Result]:
        self.pace.send(flight)
        again: set[Block] = set()
        moved: set[Block] = set()
        suspects: list[Block] = []
        for block, outcome in flight.outcomes():
            self.pace.learn(outcome)
            self.pace.send(flight)
            self.notes.note(block, outcome)
            if is_stored(outcome):
                yield from outcome
            elif isinstance(outcome, KilledWorker):
                suspects += self.works.parts(block)
            elif block not in moved and flight.dismiss_lost(outcome):
                moved.add(block)
                flight.send([block], again=block in again)
            elif isinstance(outcome, ClusterLostError) or block in again or not _may_pass(outcome):
                yield from outcome if isinstance(outcome, list) else fail_planes(block, outcome)
            else:
                again.update(self.works.parts(block))
                flight.send(self.works.parts(block), again=True)
        for suspect in suspects:
            flight.send([suspect], again=True)
            for block, outcome in flight.outcomes():
                self.notes.note(block, outcome)
                yield from outcome if isinstance(outcome, list) else fail_planes(block, outcome)


def _may_pass(outcome: Outcome[PlaneSummary]) -> bool:
    """Return whether planes that failed together may succeed alone."""
    failures = [plane for plane in outcome if isinstance(plane, PlaneFailure)] if isinstance(outcome, list) else []
    return not any(failure.dependent or failure.untried for failure in failures)


def _is_dependent(outcome: Outcome[PlaneSummary] | list[Result]) -> bool:
    return isinstance(outcome, list) and any(isinstance(plane, PlaneFailure) and plane.dependent for plane in outcome)


def _distrust(result: Result) -> PlaneFailure:
    """Turn the summary of a plane into a failure."""
    return result if isinstance(result, PlaneFailure) else PlaneFailure(result.plane, DEPENDENT, dependent=True)
