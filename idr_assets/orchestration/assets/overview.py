"""The asset `<list>/overview`, of a list of images: a table with a row for each, and a figure with a plane of each."""

from collections.abc import Iterator

import dagster as dg

from idr_assets.imaging.stores.zarr_settings import own_settings
from idr_assets.orchestration.assets.derived import derived_asset
from idr_assets.orchestration.assets.descriptions import of_overview
from idr_assets.orchestration.assets.metadata import gallery
from idr_assets.orchestration.assets.names import OVERVIEW
from idr_assets.orchestration.image import Image
from idr_assets.orchestration.image_list import ImageList
from idr_assets.orchestration.stops import end_canceled

ALL_LOADED = "all_rows_loaded"


def overview(images: ImageList) -> dg.AssetsDefinition:
    """Define the asset; its value is the table, a pandas frame."""
    key = dg.AssetKey([images.name, OVERVIEW])
    about = "Every row of the list is an image that can be loaded. A warning."

    @derived_asset(
        key.path,
        [dg.AssetDep(image.key(asset)) for image in images.every for asset in ("plane_labels", "objects")],
        Image.io,
        kinds={"parquet", "matplotlib"},
        description=of_overview(images),
        metadata=gallery(f"#{images.name}"),
        check_specs=[dg.AssetCheckSpec(ALL_LOADED, asset=key, description=about)],
    )
    def asset(context: dg.AssetExecutionContext) -> Iterator[dg.AssetCheckResult | dg.MaterializeResult[None]]:
        from idr_assets.orchestration.assets.work.overview import write_overview  # noqa: PLC0415

        with end_canceled(context), own_settings:
            yield dg.MaterializeResult(metadata=write_overview(context.instance, images))
        faults = {"rows that are not loaded": "\n".join(images.describe_faults())} if images.faults else {}
        yield dg.AssetCheckResult(
            check_name=ALL_LOADED,
            passed=not images.faults,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={"rows": len(images.images) + len(images.faults), **faults},
        )

    return asset
