"""The asset `<image>/plane_labels`: the label planes, partitioned over T x Z."""

from collections.abc import Callable, Collection, Iterator
from functools import partial
from typing import TYPE_CHECKING

import dagster as dg

from idr_assets.imaging.stores.zarr_settings import own_settings
from idr_assets.orchestration.assets.descriptions import of_plane_labels
from idr_assets.orchestration.assets.earlier_attempt import read_earlier_attempt, read_unevaluated
from idr_assets.orchestration.assets.healing import heal_output
from idr_assets.orchestration.assets.lost_database import log_if_possible
from idr_assets.orchestration.assets.plane_checks import check_specs
from idr_assets.orchestration.assets.plane_events import PlaneEvents
from idr_assets.orchestration.assets.plane_report import log_remarks, report
from idr_assets.orchestration.assets.progress import log_progress
from idr_assets.orchestration.assets.source_watch import SourceWatch
from idr_assets.orchestration.cluster.resource import DaskResource
from idr_assets.orchestration.image import Image
from idr_assets.orchestration.longer_axes import rename_shorter_keys
from idr_assets.orchestration.partitions import rectangles, window_partitions
from idr_assets.orchestration.process_end import skip_last_garbage
from idr_assets.orchestration.rectangles import Cell
from idr_assets.orchestration.run_range import check_run, wanted_cells
from idr_assets.orchestration.source_version import report_source_of_run
from idr_assets.orchestration.stops import end_canceled, note_stops
from idr_assets.orchestration.versions import source_key

if TYPE_CHECKING:
    from idr_assets.imaging.segmentation.run import SegmentationRun


type Begin = Callable[[dg.AssetExecutionContext, Collection[Cell]], tuple["SegmentationRun", SourceWatch]]
"""Opens the source of a run for these (t, z), and reports its version."""


def begin_image(
    image: Image, context: dg.AssetExecutionContext, _: Collection[Cell]
) -> tuple["SegmentationRun", SourceWatch]:
    """Open an image and its output."""
    from idr_assets.imaging.segmentation.run import SegmentationRun  # noqa: PLC0415  dask, for the run only

    if healed := heal_output(context.instance, image):
        context.log.warning(healed)
    run = SegmentationRun.prepare(
        image.source,
        image.recipe,
        image.window,
        image.labels_url,
        labels=image.label_group,
        format=image.format,
        reuse_pixels=image.reuse_pixels,
    )
    return run, SourceWatch(image, report_source_of_run(context, image, run.level, run.provenance.fingerprint))


def plane_labels(image: Image, begin: Begin | None = None) -> dg.AssetsDefinition:
    """Define the asset; its value for a partition is the label plane (y, x), int32."""
    key = dg.AssetKey(image.key("plane_labels"))

    @dg.asset(
        key=key,
        deps=[source_key(image)],
        group_name=image.name,
        kinds={"zarr", "dask", *image.badge},
        io_manager_key=image.io,
        pool=image.pool,
        partitions_def=window_partitions(image),
        backfill_policy=dg.BackfillPolicy.single_run(),
        code_version=image.recipe.version,
        description=of_plane_labels(image),
        check_specs=check_specs(key, image),
    )
    def asset(
        context: dg.AssetExecutionContext, dask: dg.ResourceParam[DaskResource]
    ) -> Iterator[dg.AssetCheckResult | dg.MaterializeResult[None]]:
        from idr_assets.orchestration.event_log import has_given_up  # noqa: PLC0415

        check_run(context)
        skip_last_garbage()
        rename_shorter_keys(context.instance, image)
        with end_canceled(context), own_settings:
            cells = wanted_cells(context, image)
            run, watch = (begin or partial(begin_image, image))(context, cells)
            context.log.info("chunks are verified by: %s", run.level.store.verification.means)
            log_remarks(context, run.remarks)
            planes = PlaneEvents(context, run, cells, watch)
            earlier = read_earlier_attempt(context, image, cells, run.output)
            planes.take_over(earlier.events, earlier.summaries)
            rest = rectangles(image, cells - earlier.cells)
            with dask.client() as client, note_stops() as stopped, planes.tell_at_the_end(stopped):
                context.log.info("dask dashboard: %s", client.dashboard_link)
                results = run.segment(client, *rest, threads=dask.threads(client), stopped=stopped)
                for result in log_progress(results, sum(map(len, rest)), log_if_possible(context), planes.tell_early):
                    planes.add(result)
                    if watch.replaced or has_given_up(context.instance):
                        break
            log_remarks(context, run.remark_on(planes.found))
            unevaluated = read_unevaluated(context, image, run.output)
            yield from report(context, image, planes, unevaluated, stopped=stopped())

    return asset
