"""Blocks that a cluster works on: what becomes of each, also where the cluster itself is lost.

Which blocks are tried again is decided elsewhere.
"""

from collections.abc import Iterable, Iterator
from math import inf
from time import monotonic, sleep
from typing import Protocol

from distributed import Client, as_completed

from idr_assets.imaging.planes import Block
from idr_assets.imaging.segmentation.plane_results import PlaneFailure, PlaneSummary

WITHOUT_WORKERS = 60.0
"""Seconds that a cluster may be without any worker until what it works on is given up."""

LOOK = 1.0
"""Seconds between two looks for workers, while no block ends."""

PAUSES = 0.01, 0.05
"""Seconds until the first look for a block that has ended, and between two looks when none has for long.

Looking each hundredth of a second takes a twelfth of a core, while the workers need them all.
"""

SCHEDULER_LOST = (
    "the connection to the dask scheduler was lost, so that nothing more is heard of it. Read in the scheduler's log "
    "why it ended, start it again, and materialize this plane again."
)
WORKERS_LOST = (
    "the dask cluster has no worker any more: all have ended, maybe by a plane that ends each worker that gets it. "
    "Read in the workers' logs why, start workers with nannies, which replace those that die, and materialize this "
    "plane again."
)

type Outcome = list[PlaneSummary] | list[PlaneFailure] | BaseException


class ClusterLostError(Exception):
    """The cluster is gone: its scheduler cannot be reached, or has no worker. The message names the remedy."""


class Task(Protocol):
    """What a cluster does with a block; `again` where the block failed before."""

    def __call__(self, block: Block, *, again: bool) -> list[PlaneSummary] | list[PlaneFailure]:
        """Give what became of the block's planes."""


class InFlight:
    """The blocks with which a cluster is to call `task`, until each has ended."""

    def __init__(self, client: Client, task: Task) -> None:
        """Send nothing yet."""
        self._client, self._task = client, task
        self._blocks: dict[object, Block] = {}
        self._ended = as_completed(loop=client.loop, with_results=True, raise_errors=False)
        self._lost: ClusterLostError | None = None
        self._looked = monotonic()
        # What is started for this run may wait for hours, in the queue of a compute centre, for its first worker.
        self._seen = inf if client.cluster else self._looked

    def send(self, blocks: Iterable[Block], *, again: bool = False) -> None:
        """Send blocks, `again` those that failed before, unless the cluster is lost."""
        if self._lost:
            self._blocks |= {object(): block for block in blocks}
        else:
            sent: dict[object, Block] = {
                self._client.submit(self._task, block, again=again, pure=False): block for block in blocks
            }
            self._blocks |= sent
            self._ended.update(sent)

    def outcomes(self) -> Iterator[tuple[Block, Outcome]]:
        """Give each block with its summaries, or with why there are none, as they end; more may be sent meanwhile.

        What a lost cluster still had ends with a `ClusterLostError`.
        """
        while self._blocks and self._one_has_ended():
            future, outcome = next(self._ended)
            if future.cancelled():
                self._lost = self._lost or ClusterLostError(SCHEDULER_LOST)
            else:
                self._seen = monotonic()
                yield self._blocks.pop(future), outcome[1] if future.status == "error" else outcome
        while self._blocks:
            yield self._blocks.popitem()[1], self._lost or ClusterLostError()

    def _one_has_ended(self) -> bool:
        """Wait until a block has ended; False where none has, and the cluster is lost."""
        pause, longest = PAUSES
        while not self._ended.has_ready():
            if self._lost:
                return False
            sleep(pause)
            pause = min(1.2 * pause, longest)
            self._look()
        return True

    def _look(self) -> None:
        """Look now and then whether there still is a worker."""
        if (now := monotonic()) - self._looked < LOOK:
            return
        self._looked = now
        if self._has_workers():
            self._seen = now
        elif now - self._seen > WITHOUT_WORKERS:
            self._lost = ClusterLostError(WORKERS_LOST)
            self._client.cancel(list(self._blocks))

    def _has_workers(self) -> bool:
        try:
            return bool(self._client.nthreads())
        except OSError:
            return False
