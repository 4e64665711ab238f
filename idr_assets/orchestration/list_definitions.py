"""Build all Dagster definitions of a list of images."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain

import dagster as dg

from idr_assets.orchestration.assets.names import OVERVIEW, figure_keys, measure_keys
from idr_assets.orchestration.assets.overview import overview
from idr_assets.orchestration.automation.list_sensor import list_sensor
from idr_assets.orchestration.automation.schedules import Automation, missing_schedule, refresh_sensor
from idr_assets.orchestration.image_definitions import image_assets
from idr_assets.orchestration.image_list import ImageList

ASSET_JOB = "__ASSET_JOB"
"""Dagster's own job with all assets of a project, whose runs take some of them. Jobs of each image would be slow: of a
thousand images, Dagster describes each job with all resources, and looks at all assets for each."""


def list_definitions(image_list: ImageList, automation: Automation) -> dg.Definitions:
    """Build the assets of each image, and one schedule and two sensors for all of them."""
    name, images = image_list.name, [each.images for each in image_list.images]
    every, target = image_list.every, {"job_name": ASSET_JOB}
    refreshed = list(chain.from_iterable([*figure_keys(each), *measure_keys(each)] for each in images))
    with _without_garbage_collection():
        assets = list(chain.from_iterable(map(image_assets, images)))
    return dg.Definitions(
        assets=[*assets, overview(image_list)],
        schedules=[missing_schedule(name, every, target, automation)],
        sensors=[
            list_sensor(name, images, target, automation),
            refresh_sensor(name, [*refreshed, dg.AssetKey([name, OVERVIEW])], automation),
        ],
    )


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """Look for no garbage while thousands of assets are built, all of which stay: it takes a fifth of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
