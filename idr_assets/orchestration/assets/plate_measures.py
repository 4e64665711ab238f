"""The assets that measure a plate: `objects`, partitioned over its wells, and `plate_counts`."""

from typing import Any

import dagster as dg

from idr_assets.imaging.stores.zarr_settings import own_settings
from idr_assets.orchestration.assets.conditions import when_settled
from idr_assets.orchestration.assets.derived import define_derived, derived_asset
from idr_assets.orchestration.assets.descriptions import of_plate_counts, of_plate_objects
from idr_assets.orchestration.partitions import well_partitions
from idr_assets.orchestration.plate import Plate
from idr_assets.orchestration.run_range import check_run
from idr_assets.orchestration.stops import end_canceled


def plate_objects(plate: Plate) -> dg.AssetsDefinition:
    """Define the table of objects, a file for each well; its value is the table of its wells, a pandas frame."""
    # Dagster has no mapping from a well to its fields, so each well depends on all planes.
    planes = dg.AssetDep(plate.key("plane_labels"), partition_mapping=dg.AllPartitionMapping())

    @derived_asset(
        plate.key("objects"),
        [planes],
        plate.io,
        kinds={"parquet", *plate.badge},
        description=of_plate_objects(plate),
        code_version=plate.measured_version,
        partitions_def=well_partitions(plate),
    )
    def asset(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        from idr_assets.orchestration.assets.work.plate_objects import write_wells  # noqa: PLC0415

        check_run(context)
        with end_canceled(context), own_settings:
            return write_wells(context, plate)

    return asset


def plate_counts(plate: Plate) -> dg.AssetsDefinition:
    """Define the figure and the table of the wells; its value is the PNG."""

    def write() -> dict[str, Any]:
        from idr_assets.orchestration.assets.work.plate_counts import write_plate_counts  # noqa: PLC0415

        return write_plate_counts(plate)

    return define_derived(
        plate.key("plate_counts"),
        [plate.key("objects")],
        plate.io,
        write,
        kinds={"matplotlib", *plate.badge},
        description=of_plate_counts(plate),
        automation_condition=when_settled(),
    )
