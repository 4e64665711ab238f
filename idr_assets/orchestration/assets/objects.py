"""The asset `<image>/objects`: the table of all objects, a Parquet file for each timepoint, or each well of a plate."""

import dagster as dg

from idr_assets.imaging.stores.zarr_settings import own_settings
from idr_assets.orchestration.assets.derived import derived_asset
from idr_assets.orchestration.assets.descriptions import of_objects, of_plate_objects
from idr_assets.orchestration.image import Image
from idr_assets.orchestration.longer_axes import rename_shorter_keys
from idr_assets.orchestration.partitions import planes_of_timepoints, timepoint_partitions
from idr_assets.orchestration.plate import Plate
from idr_assets.orchestration.run_range import check_run
from idr_assets.orchestration.stops import end_canceled


def objects(image: Image) -> dg.AssetsDefinition:
    """Define the asset; its value is the table of its partitions, a pandas frame."""
    planes = dg.AssetDep(image.key("plane_labels"), partition_mapping=planes_of_timepoints(image))

    @derived_asset(
        image.key("objects"),
        [planes],
        image.io,
        kinds={"parquet", *image.badge},
        description=of_plate_objects(image) if isinstance(image, Plate) else of_objects(image),
        code_version=image.measured_version,
        partitions_def=timepoint_partitions(image),
    )
    def asset(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        from idr_assets.orchestration.assets.work.objects import write_tables  # noqa: PLC0415
        from idr_assets.orchestration.assets.work.plate_objects import write_wells  # noqa: PLC0415

        check_run(context)
        rename_shorter_keys(context.instance, image)
        with end_canceled(context), own_settings:
            return write_wells(context, image) if isinstance(image, Plate) else write_tables(context, image)

    return asset
