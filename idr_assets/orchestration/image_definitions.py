"""Build all Dagster definitions of one image."""

from collections.abc import Sequence

import dagster as dg

from idr_assets.orchestration.assets.comparison import segmentation_comparison
from idr_assets.orchestration.assets.figures import montage, plane_browser
from idr_assets.orchestration.assets.names import measure_keys
from idr_assets.orchestration.assets.object_counts import object_counts
from idr_assets.orchestration.assets.objects import objects
from idr_assets.orchestration.assets.plane_labels import plane_labels
from idr_assets.orchestration.assets.source_image import source_image
from idr_assets.orchestration.automation.schedules import Automation, change_sensor, missing_schedule, refresh_sensor
from idr_assets.orchestration.image import Image
from idr_assets.orchestration.io_manager import ImageIO
from idr_assets.orchestration.partitions import range_tags, timepoint_tags


def image_definitions(images: Sequence[Image], automation: Automation) -> dg.Definitions:
    """Build assets, the jobs `segment_<image>` and `measure_<image>`, schedule, sensors and the resource of an image.

    `images` contains the image once for each of its segmentations.
    """
    image = images[0]
    measures = dg.AssetSelection.assets(*measure_keys(images))
    segment = dg.define_asset_job(
        f"segment_{image.name}",
        selection=dg.AssetSelection.groups(image.name) - measures,
        tags=range_tags(image, image.window),
        description=f"The source, all planes of the window, and the figures of {image.name}.",
    )
    measure = dg.define_asset_job(
        f"measure_{image.name}",
        selection=measures,
        tags=timepoint_tags(image),
        description=f"The objects of all timepoints of the window of {image.name}, from labels that are stored.",
    )
    assets = [
        build(each) for each in images for build in (plane_labels, montage, plane_browser, objects, object_counts)
    ]
    several = [segmentation_comparison(images)] if len(images) > 1 else []
    return dg.Definitions(
        assets=[source_image(image), *assets, *several],
        jobs=[segment, measure],
        schedules=[missing_schedule(images, segment, automation)],
        sensors=[change_sensor(image, segment, automation), refresh_sensor(images, automation)],
        resources={f"{image.name}_io": ImageIO(images)},
    )
