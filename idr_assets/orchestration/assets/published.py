"""The asset `<image>/published`, partitioned over T: pixels and labels in few files, for viewers and for sharing."""

from collections.abc import Sequence

import dagster as dg

from idr_assets.imaging.published.layout import VERSION
from idr_assets.imaging.segmentation.recipe import hash_parts
from idr_assets.imaging.stores.zarr_settings import own_settings
from idr_assets.orchestration.assets.derived import derived_asset
from idr_assets.orchestration.assets.descriptions import of_published
from idr_assets.orchestration.assets.names import PUBLISHED
from idr_assets.orchestration.cluster.resource import DaskResource
from idr_assets.orchestration.image import Image
from idr_assets.orchestration.longer_axes import rename_shorter_keys
from idr_assets.orchestration.partitions import planes_of_timepoints, timepoint_partitions
from idr_assets.orchestration.run_range import check_run
from idr_assets.orchestration.stops import end_canceled


def published(images: Sequence[Image]) -> dg.AssetsDefinition:
    """Define the asset of an image, given once for each of its segmentations; its value is a Zarr group."""
    image = images[0]
    planes = [dg.AssetDep(it.key("plane_labels"), partition_mapping=planes_of_timepoints(it)) for it in images]

    @derived_asset(
        [image.name, PUBLISHED],
        planes,
        image.io,
        kinds={"zarr", "dask"},
        description=of_published(image),
        code_version=hash_parts([VERSION, image.extent, *([it.read_channels, it.measured.version] for it in images)]),
        partitions_def=timepoint_partitions(image),
    )
    def asset(context: dg.AssetExecutionContext, dask: dg.ResourceParam[DaskResource]) -> dg.MaterializeResult[None]:
        from idr_assets.orchestration.assets.work.published import publish  # noqa: PLC0415

        check_run(context)
        for it in images:
            rename_shorter_keys(context.instance, it)
        with end_canceled(context), own_settings:
            return publish(context, images, dask)

    return asset
