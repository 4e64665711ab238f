"""All Dagster definitions of one image, put together."""

import dagster as dg

from idr_assets.orchestration.automation import Automation, change_sensor, figures_sensor, missing_schedule
from idr_assets.orchestration.figures import montage, plane_browser
from idr_assets.orchestration.image import Image
from idr_assets.orchestration.io_manager import ImageIOManager
from idr_assets.orchestration.partitions import range_tags
from idr_assets.orchestration.plane_labels import plane_labels
from idr_assets.orchestration.source_image import source_image


def image_definitions(image: Image, automation: Automation) -> dg.Definitions:
    """Build the assets, the job `segment_<image>` over the window, what runs by itself, and what loads values."""
    job = dg.define_asset_job(
        f"segment_{image.name}",
        selection=dg.AssetSelection.groups(image.name),
        tags=range_tags(image, image.window),
        description=f"Everything of {image.name}: all planes of the window and the figures.",
    )
    assets = [build(image) for build in (source_image, plane_labels, montage, plane_browser)]
    return dg.Definitions(
        assets=assets,
        jobs=[job],
        schedules=[missing_schedule(image, job, automation)],
        sensors=[change_sensor(image, job, automation), figures_sensor(image, automation)],
        resources={f"{image.name}_io": ImageIOManager(image)},
    )
