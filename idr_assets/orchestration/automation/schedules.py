"""What runs by itself for one image: missing planes on a schedule, everything when the image changed, figures anew.

All three are defined for each image, and off unless its YAML says otherwise.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Self

import dagster as dg
from pydantic import BaseModel, Field, StrictInt, model_validator

from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.reading.fingerprint import read_fingerprint
from idr_assets.orchestration.assets.names import figure_keys, measure_keys
from idr_assets.orchestration.automation.missing import missing_planes, rectangles
from idr_assets.orchestration.image import Image
from idr_assets.orchestration.longer_axes import rename_shorter_keys
from idr_assets.orchestration.partitions import range_tags

type Job = Any  # of `define_asset_job`, whose type Dagster does not export

HASTE = {"timeout": 5.0, "tries": 2, "seconds": 15.0}
"""Patience of a look, at most, with each of its few requests: Dagster ends a look that takes a minute."""


class Automation(BaseModel):
    """What runs by itself for an image, and when; all of it is off unless the YAML says otherwise."""

    schedule: bool = Field(default=False, description="Whether missing and failed planes are requested on a schedule.")
    cron: str = Field(default="0 3 * * *", description="When, as five fields of cron, for example `0 3 * * *`.")
    time_zone: str = Field(default="UTC", description="Time zone of `cron`, for example `Europe/London`.")
    watch: bool = Field(default=False, description="Whether everything runs when the image changed in its store.")
    watch_seconds: StrictInt = Field(default=3600, gt=0, description="Least time between two looks at the store.")
    refresh: bool = Field(default=False, description="Whether figures and objects are made again when labels changed.")

    @model_validator(mode="after")
    def _can_be_scheduled(self) -> Self:
        try:
            dg.ScheduleDefinition(job_name="any", cron_schedule=self.cron, execution_timezone=self.time_zone)
        except (dg.DagsterInvalidDefinitionError, ValueError, KeyError) as error:
            message = f"{self.cron!r} in {self.time_zone!r} is no schedule ({error}); write five fields and a time zone"
            raise ValueError(message) from error
        return self


def missing_schedule(images: Sequence[Image], job: Job, automation: Automation) -> dg.ScheduleDefinition:
    """Define the schedule `missing_<image>`: it requests the planes that are missing or failed, and no other."""
    name = images[0].name

    @dg.schedule(
        name=f"missing_{name}",
        job=job,
        cron_schedule=automation.cron,
        execution_timezone=automation.time_zone,
        default_status=dg.DefaultScheduleStatus.RUNNING if automation.schedule else dg.DefaultScheduleStatus.STOPPED,
        description=f"Planes of {name} that are missing or failed, in few rectangles; skips when there are none.",
    )
    def schedule(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
        requests = [request for image in images for request in _missing(context.instance, image)]
        yield from requests
        if not requests:
            yield dg.SkipReason(f"No plane of {name} is missing or failed.")

    return schedule


def change_sensor(image: Image, job: Job, automation: Automation) -> dg.SensorDefinition:
    """Define the sensor `watch_<image>`: it requests the window anew when the image's fingerprint changed.

    A look reads metadata only. A store that does not answer is asked again at the next look. The cursor is the
    fingerprint seen last, at first that of the last `source_image`.
    """
    haste = {name: min(most, getattr(image.patience, name)) for name, most in HASTE.items()}
    hasty = replace(image, patience=image.patience.model_copy(update=haste))

    @dg.sensor(
        name=f"watch_{image.name}",
        job=job,
        minimum_interval_seconds=automation.watch_seconds,
        default_status=dg.DefaultSensorStatus.RUNNING if automation.watch else dg.DefaultSensorStatus.STOPPED,
        description=f"Runs everything of {image.name} when its pixels changed in their store.",
    )
    def sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        try:
            seen = read_fingerprint(hasty.source.open(), image.storage_options).digest
        except ImageError as error:
            return dg.SkipReason(f"Whether {image.name} changed cannot be told now: {error}")
        known = context.cursor or _materialized(context.instance, image)
        if known in {None, seen}:
            context.update_cursor(seen)
            return dg.SkipReason(f"{image.name} is unchanged, with fingerprint {seen}.")
        # Without a run key, which Dagster takes once for ever: an image may change to and fro.
        request = dg.RunRequest(tags=range_tags(image, image.window))
        return dg.SensorResult(run_requests=[request], cursor=seen)

    return sensor


def refresh_sensor(images: Sequence[Image], automation: Automation) -> dg.AutomationConditionSensorDefinition:
    """Define the sensor `refresh_<image>`: it evaluates when figures and measures are to be made anew."""
    name = images[0].name
    return dg.AutomationConditionSensorDefinition(
        name=f"refresh_{name}",
        target=dg.AssetSelection.assets(*figure_keys(images), *measure_keys(images)),
        default_status=dg.DefaultSensorStatus.RUNNING if automation.refresh else dg.DefaultSensorStatus.STOPPED,
        description=f"Draws the figures of {name} and measures its objects anew when labels changed.",
    )


def _missing(instance: dg.DagsterInstance, image: Image) -> Iterator[dg.RunRequest]:
    plane_labels = [dg.AssetKey(image.key("plane_labels"))]
    rename_shorter_keys(instance, image)
    for block in rectangles(image, missing_planes(instance, image)):
        tags = range_tags(image, block)
        # Dagster wants a key of each of several, and compares the keys of one tick only.
        run_key = "/".join([*image.key("plane_labels"), *tags.values()])
        yield dg.RunRequest(run_key, asset_selection=plane_labels, tags=tags)


def _materialized(instance: dg.DagsterInstance, image: Image) -> str | None:
    event = instance.get_latest_materialization_event(dg.AssetKey([image.name, "source_image"]))
    metadata = event.asset_materialization.metadata if event and event.asset_materialization else {}
    return str(metadata["fingerprint"].value) if "fingerprint" in metadata else None
