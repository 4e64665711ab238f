"""Blocks that a cluster works on: the outcome of each, even if the cluster itself is lost.

Which blocks are tried again is decided elsewhere.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import chain, count
from math import inf
from time import monotonic
from typing import Protocol
from uuid import uuid4

from distributed import Client, Future, as_completed

from idr_assets.imaging.planes import Block
from idr_assets.imaging.segmentation.plane_results import PlaneFailure
from idr_assets.imaging.segmentation.storing import stop_storing
from idr_assets.imaging.segmentation.workers import SCHEDULER_LOST, Needs

WITHOUT_WORKERS = 60.0
"""Seconds without any worker after which the blocks of a cluster are given up."""

CHECK = 1.0
"""Seconds between two checks for workers, while no block ends."""

PAUSE = 0.05
"""Seconds between two looks whether the run was stopped, while no block ends."""

ANSWER, LAST_STORED = 5.0, 20.0
"""Seconds that workers have, after a run was stopped, to answer what they store, and to end storing it."""

type Outcome[Found] = list[Found] | list[PlaneFailure] | BaseException


class ClusterLostError(Exception):
    """The cluster is lost: its scheduler cannot be reached, or has no worker. The message names the remedy."""


class Task[Found](Protocol):
    """What a cluster does with a block; `again` if the block failed before."""

    def __call__(self, block: Block, *, again: bool) -> list[Found] | list[PlaneFailure]:
        """Return the results of the block's planes."""


class InFlight[Found]:
    """The blocks with which a cluster calls `task`, until each has ended, or the run was `stopped`.

    Attributes
    ----------
    threads : int
        Threads of workers that have what is needed, at the last look; 1 if there were none.

    """

    def __init__(
        self, client: Client, task: Task[Found], stopped: Callable[[], bool] = lambda: False, needs: Needs | None = None
    ) -> None:
        """Send nothing yet."""
        self._client, self._task, self._stopped, self._needs = client, task, stopped, needs or Needs()
        self._name = f"segment-{uuid4().hex}"
        self._keys = (f"{self._name}-{number}" for number in count())
        self._until: float | None = None
        self._blocks: dict[object, Block] = {}
        self._ended = as_completed(loop=client.loop, with_results=True, raise_errors=False)
        self._lost: ClusterLostError | None = None
        self._checked = monotonic()
        # A cluster of this run's own may wait for its first worker for hours, in the queue of a compute centre.
        self._seen = inf if client.cluster else self._checked
        self.threads = 1
        self._has_workers()

    def __len__(self) -> int:
        """Count the blocks that have not ended."""
        return len(self._blocks)

    def send(self, blocks: Iterable[Block], *, again: bool = False) -> None:
        """Send blocks, unless the run was stopped or the cluster is lost; `again` if they failed before."""
        if self._stopped():
            return
        if self._lost:
            self._blocks |= {object(): block for block in blocks}
        else:
            sent: dict[object, Block] = {
                self._client.submit(self._task, block, again=again, key=key, resources=self._needs.of_a_block): block
                for block, key in zip(blocks, self._keys, strict=False)
            }
            self._blocks |= sent
            self._ended.update(sent)

    def outcomes(self) -> Iterator[tuple[Block, Outcome[Found]]]:
        """Yield each block with its results or its error as it ends; more may be sent meanwhile.

        Blocks that a lost cluster had not finished get a `ClusterLostError`. After a stop, only blocks that
        are stored, or were being stored, are yielded; the others store nothing.
        """
        while self._blocks and self._wait():
            future, outcome = next(self._ended)
            if future not in self._blocks:
                continue
            if future.cancelled():
                self._lost = self._lost or ClusterLostError(SCHEDULER_LOST)
            else:
                self._seen = monotonic()
                yield self._blocks.pop(future), outcome[1] if future.status == "error" else outcome
        while self._blocks:
            yield self._blocks.popitem()[1], self._lost or ClusterLostError(SCHEDULER_LOST)

    def dismiss_lost(self, outcome: Outcome[Found]) -> bool:
        """End the worker of a block whose device failed, if another can do the block; return whether one can."""
        failures = [it for it in outcome if isinstance(it, PlaneFailure)] if isinstance(outcome, list) else []
        return any(self._needs.dismiss(self._client, it.lost_on) for it in failures[:1])

    def cancel(self) -> None:
        """Give up what has not ended: what waits never begins, and what is at work stores nothing any more."""
        self._give_up(self._blocks.keys())

    def _wait(self) -> bool:
        """Wait until a block has ended; return False if the cluster is lost, or all blocks are given up, instead."""
        self._heed_stop()
        while self._blocks and not self._lost and not self._ended.has_ready():
            with self._ended.thread_condition:  # which dask notifies of each block that ends
                if not self._ended.has_ready():
                    self._ended.thread_condition.wait(PAUSE)
            self._check_workers()
            self._heed_stop()
        return bool(self._ended.has_ready())

    def _heed_stop(self) -> None:
        """After a stop, give up all blocks but those that are being stored; these too after some time."""
        if not self._stopped():
            return
        if self._until is None:
            self._until = monotonic() + LAST_STORED
            kept = {future for future in self._blocks if not isinstance(future, Future) or future.done()}
            self._give_up(self._blocks.keys() - kept - self._find_storing())
        elif monotonic() > self._until:
            self._give_up(self._blocks.keys())

    def _find_storing(self) -> set[object]:
        """Let workers begin to store no other block; return those that they are storing."""
        try:
            begun = self._client.run(stop_storing, self._name, on_error="ignore", callback_timeout=ANSWER)
        except (OSError, TimeoutError):  # what is canceled stores nothing either
            return set()
        keys = {*chain.from_iterable(begun.values())}
        return {future for future in self._blocks if isinstance(future, Future) and future.key in keys}

    def _give_up(self, futures: Iterable[object]) -> None:
        if given_up := [future for future in futures if isinstance(future, Future)]:
            self._client.cancel(given_up)
        for future in given_up:
            del self._blocks[future]

    def _check_workers(self) -> None:
        """Check now and then whether there is still a worker."""
        if (now := monotonic()) - self._checked < CHECK:
            return
        self._checked = now
        longest = WITHOUT_WORKERS
        if self._has_workers():
            self._seen = now
        elif self._needs.are_unmet(self._client):
            self._seen = min(self._seen, now)  # those of its workers that still wait in a queue are like these
            longest /= 2
        if now - self._seen > longest:
            self._lost = ClusterLostError(self._needs.explain_absence(self._client))
            self._client.cancel(list(self._blocks))

    def _has_workers(self) -> bool:
        try:
            threads = self._needs.count_threads(self._client)
        except OSError:
            return False
        self.threads = max(1, threads)
        return threads > 0
