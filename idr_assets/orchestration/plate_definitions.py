"""Build all Dagster definitions of one plate."""

from collections.abc import Sequence
from functools import partial

import dagster as dg

from idr_assets.orchestration.assets.names import figure_keys, measure_keys, segment_keys
from idr_assets.orchestration.assets.plane_labels import plane_labels
from idr_assets.orchestration.assets.plate_begin import begin_plate
from idr_assets.orchestration.assets.plate_figures import plate_browser, plate_montage
from idr_assets.orchestration.assets.plate_measures import plate_counts, plate_objects
from idr_assets.orchestration.assets.source_plate import source_plate
from idr_assets.orchestration.automation.schedules import Automation, missing_schedule, refresh_sensor
from idr_assets.orchestration.own_jobs import OwnJob
from idr_assets.orchestration.partitions import range_tags, timepoint_tags
from idr_assets.orchestration.plate import Plate


def plate_definitions(plates: Sequence[Plate], automation: Automation) -> dg.Definitions:
    """Build assets, the jobs `segment_<plate>` and `measure_<plate>`, schedule and sensor of a plate.

    `plates` contains the plate once for each of its segmentations.
    """
    plate = plates[0]
    segment = OwnJob(
        f"segment_{plate.name}",
        selection=dg.AssetSelection.assets(*segment_keys(plates)),
        tags=range_tags(plate, plate.window),
        description=f"The source, all planes, and the figures of {plate.name}.",
    )
    measure = OwnJob(
        f"measure_{plate.name}",
        selection=dg.AssetSelection.assets(*measure_keys(plates)),
        tags=timepoint_tags(plate),
        description=f"The objects of all wells of {plate.name}, from labels that are stored.",
    )
    assets = [
        asset
        for each in plates
        for asset in (
            plane_labels(each, partial(begin_plate, each)),
            *(build(each) for build in (plate_montage, plate_browser, plate_objects, plate_counts)),
        )
    ]
    return dg.Definitions(
        assets=[source_plate(plate), *assets],
        jobs=[segment, measure],
        schedules=[missing_schedule(plate.name, plates, {"job": segment}, automation)],
        sensors=[refresh_sensor(plate.name, [*figure_keys(plates), *measure_keys(plates)], automation)],
    )
