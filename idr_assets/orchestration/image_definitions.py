"""Build all Dagster definitions of one image or plate."""

from collections.abc import Sequence

import dagster as dg

from idr_assets.orchestration.assets.comparison import segmentation_comparison
from idr_assets.orchestration.assets.figures import montage, plane_browser
from idr_assets.orchestration.assets.names import are_compared, figure_keys, measure_keys, segment_keys
from idr_assets.orchestration.assets.object_counts import object_counts
from idr_assets.orchestration.assets.objects import objects
from idr_assets.orchestration.assets.plane_labels import plane_labels
from idr_assets.orchestration.assets.published import published
from idr_assets.orchestration.assets.source_image import source_image
from idr_assets.orchestration.assets.source_plate import source_plate
from idr_assets.orchestration.automation.schedules import Automation, change_sensor, missing_schedule, refresh_sensor
from idr_assets.orchestration.image import Image
from idr_assets.orchestration.own_jobs import OwnJob
from idr_assets.orchestration.partitions import range_tags, timepoint_tags
from idr_assets.orchestration.plate import Plate


def image_definitions(images: Sequence[Image], automation: Automation) -> dg.Definitions:
    """Build assets, the jobs `segment_<image>` and `measure_<image>`, schedule and sensors of an image or a plate.

    `images` contains it once for each of its segmentations.
    """
    image = images[0]
    measures = dg.AssetSelection.assets(*measure_keys(images))
    own = dg.AssetSelection.assets(*segment_keys(images))
    # With `upstream`, the group has assets that others define, such as the demo's embryo.
    define = dg.define_asset_job if image.upstream else OwnJob
    segment = define(
        f"segment_{image.name}",
        selection=dg.AssetSelection.groups(image.name) - measures if image.upstream else own,
        tags=range_tags(image, image.window),
        description=f"The source, all planes of the window, and the figures of {image.name}.",
    )
    measure = OwnJob(
        f"measure_{image.name}",
        selection=measures,
        tags=timepoint_tags(image),
        description=f"The objects of the window of {image.name}, from labels that are stored"
        f"{', and the published image' if image.published else ''}.",
    )
    refreshed = [*figure_keys(images), *measure_keys(images)]
    return dg.Definitions(
        assets=image_assets(images),
        jobs=[segment, measure],
        schedules=[missing_schedule(image.name, images, {"job": segment}, automation)],
        sensors=[change_sensor(image, segment, automation), refresh_sensor(image.name, refreshed, automation)],
    )


def image_assets(images: Sequence[Image]) -> list[dg.AssetsDefinition]:
    """Build the assets of an image or a plate, given once for each of its segmentations."""
    image = images[0]
    source = source_plate(image) if isinstance(image, Plate) else source_image(image)
    assets = [
        build(each) for each in images for build in (plane_labels, montage, plane_browser, objects, object_counts)
    ]
    several = [segmentation_comparison(images)] if are_compared(images) else []
    several += [published(images)] if image.published else []
    return [source, *assets, *several]
