"""Publish timepoints on a dask cluster: those whose planes have changed, each from beginning to end."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial

from distributed import Client

from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.output.files import remove_tree
from idr_assets.imaging.output.output_image import OutputImage
from idr_assets.imaging.planes import Block
from idr_assets.imaging.published.records import (
    Checksums,
    Recipes,
    Record,
    describe_missing,
    note_timepoint,
    read_origin,
    read_timepoints,
)
from idr_assets.imaging.published.slabs import PublishedPlane, SlabTask
from idr_assets.imaging.published.staging import STAGING, check_gathered, measure_shards, put_in_place
from idr_assets.imaging.segmentation.failures import fail_planes
from idr_assets.imaging.segmentation.in_flight import ClusterLostError, InFlight
from idr_assets.imaging.segmentation.plane_results import PlaneFailure

INCOMPLETE: Record = {"incomplete": True}
"""What is known of a timepoint while its files are put in place, and after a run that was killed meanwhile."""

CHANGED = "planes of its timepoint changed while it was published. Publish it again when their run has ended."


@dataclass
class _Timepoint:
    """A timepoint whose slabs are at work."""

    made_from: str
    checksums: Checksums
    left: set[Block]
    started: str
    found: list[PublishedPlane | PlaneFailure] = field(default_factory=list)


class Publication:
    """What becomes of the timepoints of a run.

    `records` has what is known of timepoints that are published, also of those that had not changed; `written` those
    that were published anew; `failures` why others were not.
    """

    def __init__(
        self,
        task: SlabTask,
        outputs: Sequence[OutputImage],
        tables: Callable[[int, str], None],
        run: str,
        keep_turn: Callable[[], None],
    ) -> None:
        """Read what is known of timepoints, and remove what a run that was killed has gathered.

        `tables` writes the tables of a timepoint below an address, and raises `ImageError` if it cannot. `run` is what
        the run is called in the records of timepoints.
        """
        remove_tree(f"{task.url}/{STAGING}")
        self.records, self.written = read_timepoints(task.url), set[int]()
        self.failures: dict[int, list[PlaneFailure]] = {}
        self._task, self._outputs, self._recipes, self._tables = task, outputs, Recipes(outputs), tables
        self._run, self._keep_turn, self._open = run, keep_turn, dict[int, _Timepoint]()

    def publish(self, client: Client, timepoints: Sequence[int]) -> Iterator[PublishedPlane | PlaneFailure]:
        """Publish timepoints whose planes have changed, or whose shards are not whole; yield the outcome of planes."""
        flight: InFlight[PublishedPlane] = InFlight(client, self._task)
        waiting = list(reversed(timepoints))
        again: set[Block] = set()
        try:
            yield from self._send(flight, waiting)
            for slab, outcome in flight.outcomes():
                if not isinstance(outcome, list | ClusterLostError) and slab not in again:  # its worker died
                    again.add(slab)
                    flight.send([slab], again=True)
                    continue
                found = outcome if isinstance(outcome, list) else fail_planes(slab, outcome)
                self._end(slab, found)
                yield from found
                yield from self._send(flight, waiting)
        finally:
            flight.cancel()
            remove_tree(f"{self._task.url}/{STAGING}")

    def _send(self, flight: InFlight[PublishedPlane], waiting: list[int]) -> Iterator[PublishedPlane | PlaneFailure]:
        """Send slabs of waiting timepoints while there is room, and yield the planes of those that have not changed."""
        while waiting and len(flight) < 2 * flight.threads:
            t = waiting.pop()
            slabs, (made_from, checksums) = self._task.layout.slabs(t), self._origin(t)
            if self._is_current(t, made_from):
                if failed := self._failed(t, partial(self._tables, t, self._task.url)):
                    self.failures[t] = failed
                yield from failed or (PublishedPlane(plane, ()) for slab in slabs for plane in slab.planes())
                continue
            self._open[t] = _Timepoint(made_from, checksums, set(slabs), _now())
            flight.send(slabs)

    def _end(self, slab: Block, outcome: Sequence[PublishedPlane | PlaneFailure]) -> None:
        """Note a slab that has ended, and its timepoint if it was the last."""
        t = slab.t[0]
        own = self._open[t]
        own.left.discard(slab)
        own.found += outcome
        if own.left:
            return
        del self._open[t]
        failed = [it for it in own.found if isinstance(it, PlaneFailure)]
        if not failed and self._origin(t)[0] != own.made_from:
            failed = [PlaneFailure(it.plane, CHANGED) for it in own.found]
        found = [it for it in own.found if isinstance(it, PublishedPlane)]
        if failed := failed or self._failed(t, partial(self._put_in_place, t, found)):
            self.failures[t] = sorted(failed, key=lambda it: it.plane)
            return
        named = self._recipes.name(own.checksums)
        record = {"made_from": own.made_from, "recipes": named, "shards": measure_shards(self._task, t)}
        when = {"run": self._run, "started": own.started, "ended": _now()}
        self.records[t] = record | {"missing": describe_missing(found)} | when
        self.written.add(t)
        note_timepoint(self._task.url, t, self.records[t], self._recipes.described)

    def _put_in_place(self, t: int, found: Sequence[PublishedPlane]) -> None:
        self._tables(t, f"{self._task.staging}/{t}")
        check_gathered(self._task, t, found)
        self._keep_turn()
        note_timepoint(self._task.url, t, INCOMPLETE, {})
        put_in_place(self._task, t)

    def _failed(self, t: int, step: Callable[[], None]) -> list[PlaneFailure]:
        try:
            step()
        except ImageError as error:
            return fail_planes(self._planes(t), error)
        return []

    def _is_current(self, t: int, made_from: str) -> bool:
        known = self.records.get(t, INCOMPLETE)
        return known.get("made_from") == made_from and known["shards"] == measure_shards(self._task, t)

    def _origin(self, t: int) -> tuple[str, Checksums]:
        return read_origin(self._outputs, self._planes(t), self._task.labelled)

    def _planes(self, t: int) -> Block:
        return replace(self._task.layout.window, t=range(t, t + 1))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
