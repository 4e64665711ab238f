"""The asset `<image>/plane_labels`: the label planes, partitioned over T x Z."""

from collections.abc import Collection, Iterator
from functools import partial
from typing import TYPE_CHECKING

import dagster as dg

from idr_assets.imaging.stores.zarr_settings import own_settings
from idr_assets.orchestration.assets.descriptions import of_plane_labels
from idr_assets.orchestration.assets.metadata import gallery
from idr_assets.orchestration.assets.plane_checks import check_specs
from idr_assets.orchestration.assets.plate_begin import begin_plate
from idr_assets.orchestration.cluster.resource import DaskResource
from idr_assets.orchestration.image import Image
from idr_assets.orchestration.longer_axes import rename_shorter_keys
from idr_assets.orchestration.partitions import window_partitions
from idr_assets.orchestration.plate import Plate
from idr_assets.orchestration.process_end import skip_last_garbage
from idr_assets.orchestration.rectangles import Cell
from idr_assets.orchestration.run_range import check_run
from idr_assets.orchestration.source_version import report_source_of_run
from idr_assets.orchestration.stops import end_canceled
from idr_assets.orchestration.versions import source_key

if TYPE_CHECKING:
    from idr_assets.imaging.segmentation.run import SegmentationRun
    from idr_assets.orchestration.assets.source_watch import SourceWatch


def begin_image(
    image: Image, context: dg.AssetExecutionContext, _: Collection[Cell]
) -> tuple["SegmentationRun", "SourceWatch"]:
    """Open an image and its output."""
    from idr_assets.imaging.segmentation.run import SegmentationRun  # noqa: PLC0415  dask and zarr, for the run only
    from idr_assets.orchestration.assets.healing import heal_output  # noqa: PLC0415
    from idr_assets.orchestration.assets.source_watch import SourceWatch  # noqa: PLC0415

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


def plane_labels(image: Image) -> dg.AssetsDefinition:
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
        metadata=gallery(f"image/{image.name}"),
        check_specs=check_specs(key, image),
    )
    def asset(
        context: dg.AssetExecutionContext, dask: dg.ResourceParam[DaskResource]
    ) -> Iterator[dg.AssetCheckResult | dg.MaterializeResult[None]]:
        from idr_assets.orchestration.assets.label_run import begin_labels  # noqa: PLC0415  zarr, for the run only

        check_run(context)
        skip_last_garbage()
        rename_shorter_keys(context.instance, image)
        with end_canceled(context), own_settings:
            begin = partial(begin_plate, image) if isinstance(image, Plate) else partial(begin_image, image)
            run = begin_labels(context, image, begin)
            stopped = run.segment(dask)
            yield from run.report(stopped=stopped)

    return asset
