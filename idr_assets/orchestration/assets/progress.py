"""Progress of a run in its log: how many planes are done, how fast, and how long the rest takes."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from threading import Event, Thread
from time import monotonic

from idr_assets.imaging.planes import Plane
from idr_assets.imaging.segmentation.plane_results import PlaneFailure

INTERVAL = 4.5
"""Seconds between two lines, so that on a busy machine too they come every five."""


@dataclass
class TileProgress:
    """How far the plane is that is segmented by tiles; nothing if there is none."""

    plane: Plane | None = None
    done: int = 0
    total: int = 0
    started: float = 0.0

    def tell(self, plane: Plane, done: int, total: int) -> None:
        """Note how many steps of a plane are done."""
        if plane != self.plane:
            self.started = monotonic()
        self.plane, self.done, self.total = plane, done, total

    def __str__(self) -> str:
        """Tell steps done, of how many, and about how many seconds are left of the plane."""
        if not self.plane or self.done == self.total:
            return ""
        left = (monotonic() - self.started) / self.done * (self.total - self.done)
        return f"; {self.plane}: {self.done} of {self.total} steps by tile done, about {left:.0f} s left"


class Progress:
    """Counts what became of planes, and says it in one line."""

    def __init__(self, total: int) -> None:
        """Start the clock, with nothing done of `total` planes."""
        self.total = total
        self.done = 0
        self.failed = 0
        self.started = monotonic()

    def count(self, result: object) -> None:
        """Count what became of one plane."""
        if isinstance(result, PlaneFailure):
            self.failed += 1
        else:
            self.done += 1

    def __str__(self) -> str:
        """Tell planes done, of how many, planes a second, and seconds left once that can be told."""
        rate = self.done / max(monotonic() - self.started, 1e-9)
        left = f", {(self.total - self.done - self.failed) / rate:.0f} s left" if rate else ""
        failed = f", {self.failed} failed" if self.failed else ""
        precision = ".3g" if rate < 100 else ".0f"  # noqa: PLR2004  three digits, without an exponent
        return f"{self.done} of {self.total} planes done{failed}, {rate:{precision}} planes/s{left}"


def log_progress[Found](
    results: Iterable[Found | PlaneFailure],
    total: int,
    log: Callable[[str], None],
    then: Callable[[], None] = lambda: None,
    more: Callable[[], str] = str,
) -> Iterator[Found | PlaneFailure]:
    """Pass results on, and log the progress every INTERVAL seconds, even while none comes, and at the end.

    As often, `then` is called, in a thread of its own: lines do not wait for it. `more` ends a line.
    """
    progress, ended = Progress(total), Event()
    tellers = [
        Thread(target=_tell, args=(each, ended), daemon=True) for each in (lambda: log(f"{progress}{more()}"), then)
    ]
    for teller in tellers:
        teller.start()
    try:
        for result in results:
            progress.count(result)
            yield result
    finally:
        ended.set()
        for teller in tellers:
            teller.join()
        log(str(progress))


def _tell(tell: Callable[[], None], ended: Event) -> None:
    due = monotonic() + INTERVAL
    while not ended.wait(max(0.0, due - monotonic())):
        due = monotonic() + INTERVAL
        tell()
