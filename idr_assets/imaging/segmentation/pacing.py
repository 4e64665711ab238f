"""Cut the blocks of a run so small that each ends within seconds, as soon as it is known how long planes take."""

import math
from collections import deque
from collections.abc import Iterable

from idr_assets.imaging.planes import Block
from idr_assets.imaging.reading.level import Level
from idr_assets.imaging.segmentation.in_flight import InFlight, Outcome
from idr_assets.imaging.segmentation.plane_results import PlaneSummary
from idr_assets.imaging.segmentation.works_on import WorksOn

BLOCK_SECONDS = 2.0
"""Seconds that the segmentation of a block may take: results arrive by blocks, and progress is to move all along."""

FIRST_PLANES = 2
"""Planes of a block while nothing is known; one for each thread costs little."""

AT_ONCE = 4
"""Blocks that each thread has at most, at work and waiting: enough to go on while the run is busy with what ended."""


class Pace:
    """Blocks that wait to be sent, and how long the last one took for a plane.

    Only the segmentation counts: a block of few planes is read in almost the time of many.
    """

    def __init__(self, works: WorksOn, level: Level) -> None:
        """Know nothing, with no block waiting."""
        self._works, self._level = works, level
        self._seconds: float | None = None
        self._waiting: deque[Block] = deque()

    def queue(self, blocks: Iterable[Block]) -> None:
        """Let blocks wait."""
        self._waiting.extend(blocks)

    def learn(self, outcome: Outcome[PlaneSummary]) -> None:
        """Take the pace of a block that ended; one that failed does not show how long a plane takes."""
        seconds = [it.segmenting for it in outcome if isinstance(it, PlaneSummary)] if isinstance(outcome, list) else []
        if seconds:
            self._seconds = sum(seconds) / len(seconds)
        elif self._seconds is None:
            self._seconds = 0.0

    def send(self, flight: InFlight[PlaneSummary]) -> None:
        """Send blocks that wait until each thread has enough."""
        known = self._seconds is not None or self._works.unit == "volume"
        while self._waiting and len(flight) < flight.threads * (AT_ONCE if known else 1):
            flight.send([self._take()])

    def _take(self) -> Block:
        """Take the first block, or a part of it: it is halved until that is small enough."""
        block = self._waiting.popleft()
        while len(block) > self._most():
            block, *others = block.cut(self._level.chunks, len(block) // 2)
            self._waiting.extendleft(reversed(others))
            if not others:  # one chunk holds all of it
                break
        return block

    def _most(self) -> float:
        if self._works.unit == "volume":
            return math.inf
        return FIRST_PLANES if self._seconds is None else max(1.0, BLOCK_SECONDS / max(self._seconds, 1e-9))
