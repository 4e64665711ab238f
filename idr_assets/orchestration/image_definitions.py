"""All Dagster definitions of one image, put together."""

from collections.abc import Sequence

import dagster as dg

from idr_assets.orchestration.automation import Automation, change_sensor, figures_sensor, missing_schedule
from idr_assets.orchestration.comparison import segmentation_comparison
from idr_assets.orchestration.figures import montage, plane_browser
from idr_assets.orchestration.image import Image
from idr_assets.orchestration.io_manager import ImageIOManager
from idr_assets.orchestration.object_counts import object_counts
from idr_assets.orchestration.objects import objects
from idr_assets.orchestration.partitions import range_tags
from idr_assets.orchestration.plane_labels import plane_labels
from idr_assets.orchestration.source_image import source_image


def image_definitions(images: Sequence[Image], automation: Automation) -> dg.Definitions:
    """Build the assets, the job `segment_<image>` over the window, what runs by itself, and what loads values.

    `images` is the one image, once for each of its segmentations.
    """
    image = images[0]
    job = dg.define_asset_job(
        f"segment_{image.name}",
        selection=dg.AssetSelection.groups(image.name),
        tags=range_tags(image, image.window),
        description=f"Everything of {image.name}: all planes of the window, the figures and the objects.",
    )
    assets = [
        build(each) for each in images for build in (plane_labels, montage, plane_browser, objects, object_counts)
    ]
    several = [segmentation_comparison(images)] if len(images) > 1 else []
    return dg.Definitions(
        assets=[source_image(image), *assets, *several],
        jobs=[job],
        schedules=[missing_schedule(images, job, automation)],
        sensors=[change_sensor(image, job, automation), figures_sensor(images, automation)],
        resources={f"{image.name}_io": ImageIOManager(images)},
    )
