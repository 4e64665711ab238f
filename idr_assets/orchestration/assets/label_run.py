"""One run of `plane_labels`: prepare, segment, report; the asset says in which order."""

import os
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import dagster as dg

from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.planes import Block
from idr_assets.imaging.segmentation.models.weights import WeightsError
from idr_assets.orchestration.assets.adoption import read_adoptable
from idr_assets.orchestration.assets.earlier_attempt import read_earlier_attempt, read_unevaluated, takes_over
from idr_assets.orchestration.assets.lost_database import explain_lost_database, log_if_possible
from idr_assets.orchestration.assets.plane_events import PlaneEvents
from idr_assets.orchestration.assets.plane_report import log_remarks, report
from idr_assets.orchestration.assets.progress import TileProgress, log_progress
from idr_assets.orchestration.assets.source_watch import SourceWatch
from idr_assets.orchestration.cluster.resource import DaskResource
from idr_assets.orchestration.image import Image
from idr_assets.orchestration.partitions import rectangles
from idr_assets.orchestration.rectangles import Cell
from idr_assets.orchestration.run_range import wanted_cells
from idr_assets.orchestration.stops import note_stops, say_what_is_kept

if TYPE_CHECKING:
    from idr_assets.imaging.segmentation.run import SegmentationRun  # dask, for the run only

NO_HOME = (
    "DAGSTER_HOME is not set, so no instance keeps what this run reports: its planes are stored, and the UI will "
    "not know them. Set it as for the UI; then `idr-assets adopt %s`."
)

UPSTREAM = "{} If the image was not made, or not completely, make it: `dg launch --assets {}`."

type Begin = Callable[[dg.AssetExecutionContext, Collection[Cell]], tuple["SegmentationRun", SourceWatch]]
"""Opens the source of a run for these (t, z), and reports its version."""


@dataclass
class LabelRun:
    """A run that has opened its source and its output.

    Attributes
    ----------
    context, image : AssetExecutionContext, Image
        The run of Dagster, and what it segments.
    run : SegmentationRun
        The work.
    watch : SourceWatch
        Looks whether the source is replaced meanwhile.
    planes : PlaneEvents
        What became of the planes, and what Dagster knows of them.
    rest : list of Block
        The planes that are left to make.

    """

    context: dg.AssetExecutionContext
    image: Image
    run: "SegmentationRun"
    watch: SourceWatch
    planes: PlaneEvents
    rest: list[Block]

    def segment(self, dask: DaskResource) -> bool:
        """Segment the planes that are left, and tell Dagster of them as they are stored; return whether it stopped."""
        from idr_assets.imaging.segmentation.model_log import describe_models  # noqa: PLC0415  dask, for the run only
        from idr_assets.orchestration.event_log import has_given_up  # noqa: PLC0415

        log, tiles = log_if_possible(self.context), TileProgress()
        with dask.client() as client, note_stops() as stopped, self._tell_at_the_end(stopped):
            log(f"dask dashboard: {client.dashboard_link}")
            threads, total = dask.threads(client), sum(map(len, self.rest))
            results = self.run.segment(client, *self.rest, threads=threads, stopped=stopped, tell=tiles.tell)
            named = self.run.name_planes
            for result in log_progress(results, total, log, self.planes.tell_early, lambda: named(str(tiles))):
                self.planes.add(result)
                if self.watch.replaced or has_given_up(self.context.instance):
                    break
            for line in describe_models(client, self.image.recipe):
                log(line)
        return stopped()

    @contextmanager
    def _tell_at_the_end(self, stopped: Callable[[], bool]) -> Iterator[None]:
        """Tell what is stored at the end, also if the run was stopped or cannot go on."""
        ended = False
        try:
            yield
            ended = not stopped()
        finally:
            with explain_lost_database(self.context, self.image.name):
                self.planes.tell(last=True)
            if not ended:
                say_what_is_kept(self.context, self.image.name, self.planes.done, self.planes.partitions)

    def report(self, *, stopped: bool) -> Iterator[dg.AssetCheckResult | dg.MaterializeResult[None]]:
        """Report what became of the planes: remarks, checks, and a failure if planes failed."""
        self.watch.report_replaced(self.context.instance, self.context.run.run_id)
        log_remarks(self.context, self.run.remark_on(self.planes.found))
        unevaluated = read_unevaluated(self.context, self.image, self.run.output)
        yield from report(self.context, self.image, self.planes, unevaluated, stopped=stopped)


def begin_labels(context: dg.AssetExecutionContext, image: Image, begin: Begin) -> LabelRun:
    """Open source and output, and take over what is made already, if this run is a retry or makes what is missing."""
    if not os.environ.get("DAGSTER_HOME"):
        context.log.warning(NO_HOME, image.name)
    cells = wanted_cells(context, image)
    try:
        run, watch = begin(context, cells)
    except ImageError as error:
        if image.upstream and not isinstance(error, WeightsError):
            raise ImageError(UPSTREAM.format(error, " ".join(image.upstream))) from error
        raise
    context.log.info("chunks are verified by: %s", run.level.store.verification.means)
    log_remarks(context, run.remarks)
    planes = PlaneEvents(context, run, cells, watch)
    earlier = read_earlier_attempt(context, image, cells, run.output)
    planes.take_over(earlier.events, earlier.summaries)
    left = cells - earlier.cells
    if left and takes_over(context.run):
        stored = read_adoptable(context, image, left, run.output, run.fingerprints)
        context.log.info("%d of %d partitions are stored already, and taken over", len(stored.cells), len(left))
        planes.take_over(stored.events, stored.summaries)
        left -= stored.cells
    return LabelRun(context, image, run, watch, planes, list(rectangles(image, left)))
