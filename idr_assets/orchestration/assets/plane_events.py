"""Tell Dagster of planes while the run works, so that they count at once, and also if the run is stopped or killed."""

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import batched, chain
from threading import Lock
from typing import TYPE_CHECKING

import dagster as dg

from idr_assets.imaging.planes import Plane, evenly_spread
from idr_assets.imaging.segmentation.findings import Findings
from idr_assets.imaging.segmentation.plane_results import PlaneFailure, PlaneSummary, Result
from idr_assets.imaging.stores.zarr_settings import own_settings
from idr_assets.orchestration.assets.earlier_attempt import forget_lost, read_stored
from idr_assets.orchestration.assets.metadata import name_channels
from idr_assets.orchestration.assets.plane_metadata import MOST_PICTURED, draw_outlines, make_materialization
from idr_assets.orchestration.assets.source_watch import SourceWatch
from idr_assets.orchestration.partitions import partition_key
from idr_assets.orchestration.records_lock import lock_records
from idr_assets.orchestration.rectangles import Cell
from idr_assets.orchestration.versions import version_tags

if TYPE_CHECKING:
    from idr_assets.imaging.segmentation.run import SegmentationRun  # dask, for the run only

REFUSED = "Planes are stored, but Dagster cannot be told of them now; the run tries again: %s"

AT_ONCE = 250
"""Partitions whose events are made and stored at once: with more, the memory of a run grows with its pace."""

MOST_UNTOLD = 500
"""Planes that may come while others are told. With many workers, or a slow database, planes are stored faster than they
are told: without a bound they would count minutes later, and take memory until then."""


class PlaneEvents:
    """Collects what became of the planes of a run, and tells Dagster of each partition whose channels are all stored.

    Attributes
    ----------
    found : Findings
        What became of the planes of which Dagster was told, or will not be.
    partitions, done : int
        Partitions of the run, and those of which Dagster was told.

    """

    def __init__(
        self, context: dg.AssetExecutionContext, run: "SegmentationRun", cells: Iterable[Cell], watch: SourceWatch
    ) -> None:
        """Tell nothing yet; `cells` are (t, z) of all partitions of the run, from the image of `watch`."""
        self.found = Findings()
        self.done = 0
        self._context, self._run, self._watch = context, run, watch
        self._image = image = watch.image
        self._new: deque[Result] = deque()
        self._waiting: dict[str, list[Result]] = defaultdict(list)
        self._untold: list[dg.AssetMaterialization] = []
        self._refused = False
        self._telling = Lock()
        self._tags = version_tags(context.instance, image)
        self._names = name_channels(image, run.level.geometry.channels)
        partitions = [partition_key(image, Plane(t, 0, z)) for t, z in sorted(cells)]
        self.partitions = len(partitions)
        self._pictured = evenly_spread(partitions, MOST_PICTURED)

    def add(self, result: Result) -> None:
        """Take what became of a plane. One thread does this, and any thread tells; one that is behind is waited for."""
        self._new.append(result)
        if len(self._new) > MOST_UNTOLD:
            with self._telling:  # free while nobody tells
                pass

    def take_over(self, events: Iterable[dg.AssetMaterialization], summaries: Iterable[PlaneSummary]) -> None:
        """Tell of partitions that an earlier run made, as made by this one: Dagster has planned them again."""
        self._untold += events
        self.found.add(summaries)
        self.tell()

    def tell(self, *, last: bool = False) -> None:
        """Tell Dagster of what was added, unless the image was replaced, or another run has overwritten it meanwhile.

        Those become failures. Raises `ImageError` if the store does not answer, unless this is the `last` time.
        """
        with self._telling, lock_records(self._context.instance, self._image), own_settings:
            # What the event log has refused may have been wiped before this lock.
            self._untold = [event for event in self._untold if read_stored(self._run.output, self._image, event)]
            self._store()
            for partitions in batched(self._find_complete(last=last), AT_ONCE):
                self._untold = self._make_events(dict(partitions))
                self._store()

    def tell_early(self) -> None:
        """Tell while the run works; if that fails, what is stored is told later."""
        try:
            self.tell()
        except Exception as error:  # noqa: BLE001  whatever the database raises
            with suppress(Exception):  # the log has the same database
                self._context.log.warning(REFUSED, error)

    def _store(self) -> None:
        from idr_assets.orchestration import event_log  # noqa: PLC0415

        context, events = self._context, self._untold
        if not events:
            return
        if self._refused:  # of a batch that was refused, Dagster stores what it can
            told = event_log.read_told_partitions(context.instance, context.run.run_id, context.asset_key)
            known = {event.partition for event in told}
            events = [event for event in events if event.partition not in known]
        self._refused = True
        event_log.tell_partitions(context, events)
        self._refused = False
        self.done += len(self._untold)
        self._untold = []

    def _find_complete(self, *, last: bool) -> list[tuple[str, Sequence[Result]]]:
        """Return the results of each partition of which all channels have come, and look at the image after that."""
        while self._new:
            result = self._new.popleft()
            self._waiting[partition_key(self._image, result.plane)].append(result)
        channels = len(self._image.channels)
        complete = {key: them for key, them in self._waiting.items() if len(them) == channels}
        results = [*chain.from_iterable(complete.values())]
        trusted = self._watch.distrust(results, self.found.objects, last=last) if results else []
        return list(zip(complete, batched(trusted, channels), strict=True))

    def _make_events(self, complete: Mapping[str, Sequence[Result]]) -> list[dg.AssetMaterialization]:
        """Return an event for each of these partitions that is stored."""
        drawn = {key: complete[key] for key in self._pictured if key in complete}
        pictures = {key: draw_outlines(self._run.output, them, self._image.name_plane) for key, them in drawn.items()}
        # After the pictures, which are of what is stored too. Until here nothing is lost by an error.
        found = self._run.confirm([*chain.from_iterable(complete.values())])
        events = []
        for key, them in zip(complete, batched(found, len(self._image.channels)), strict=True):
            summaries = [result for result in them if isinstance(result, PlaneSummary)]
            if len(summaries) == len(them):
                made, more = self._run.provenance_of(summaries[0].plane), self._names | pictures.get(key, {})
                events.append(make_materialization(self._image, summaries, made, self._tags, more))
        lost = {it.plane for it in found if isinstance(it, PlaneFailure) and it.written}
        forget_lost(self._context, self._image, self._run.output, {partition_key(self._image, it) for it in lost})
        for key in complete:
            del self._waiting[key]
        self.found.add(found)
        return events
