"""What runs automatically for an image: missing planes on a schedule, everything after the image changed, figures.

Every image has all three; they are off unless its YAML turns them on.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Self

import dagster as dg
from pydantic import BaseModel, Field, StrictInt, model_validator

from idr_assets.orchestration.automation.looks import BUSY, look_at
from idr_assets.orchestration.automation.missing import IN_PROGRESS, find_states, in_states, plan_runs
from idr_assets.orchestration.image import Image
from idr_assets.orchestration.longer_axes import rename_shorter_keys
from idr_assets.orchestration.partitions import RANGE_TAGS
from idr_assets.orchestration.rectangles import Cell

type Job = Any  # of `define_asset_job`, whose type Dagster does not export


class Automation(BaseModel):
    """What runs automatically for an image, and when. Everything is off by default."""

    schedule: bool = Field(default=False, description="Whether a schedule runs missing and failed planes.")
    cron: str = Field(
        default="0 3 * * *",
        description="When the schedule runs: five cron fields, for example `0 3 * * *` for 3:00 every day.",
    )
    time_zone: str = Field(default="UTC", description="Time zone of `cron`, for example `Europe/London`.")
    watch: bool = Field(
        default=False, description="Whether everything runs again after the image changed in its store."
    )
    watch_seconds: StrictInt = Field(
        default=3600, gt=0, description="Shortest time between two looks at the store, in seconds."
    )
    refresh: bool = Field(default=False, description="Whether figures and objects are made again after labels changed.")

    @model_validator(mode="after")
    def _check_schedule(self) -> Self:
        try:
            dg.ScheduleDefinition(job_name="any", cron_schedule=self.cron, execution_timezone=self.time_zone)
        except (dg.DagsterInvalidDefinitionError, ValueError, KeyError) as error:
            message = (
                f"{self.cron!r} in {self.time_zone!r} is not a schedule ({error}); write five cron fields, and a time "
                "zone such as UTC"
            )
            raise ValueError(message) from error
        return self


def missing_schedule(
    name: str, images: Sequence[Image], target: Mapping[str, Job], automation: Automation
) -> dg.ScheduleDefinition:
    """Define the schedule `missing_<name>`, which requests exactly the planes that are missing or failed.

    `target` is the job whose runs make planes of all these images, or its name: `job` or `job_name`.
    """

    @dg.schedule(
        name=f"missing_{name}",
        **target,
        cron_schedule=automation.cron,
        execution_timezone=automation.time_zone,
        default_status=dg.DefaultScheduleStatus.RUNNING if automation.schedule else dg.DefaultScheduleStatus.STOPPED,
        description=f"Runs planes of {name} that are missing or failed; skips if there are none, or a run makes any.",
    )
    def schedule(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
        busy, requests = list[str](), list[dg.RunRequest]()
        for image in images:
            rename_shorter_keys(context.instance, image)
            found = find_states(context.instance, image)
            if found.get(IN_PROGRESS):
                busy.append(image.title)
            else:
                requests += _request(context.instance, image, in_states(found))
        yield from requests
        if not requests:
            yield dg.SkipReason(BUSY % busy[0] if busy else f"No plane of {name} is missing or failed.")

    return schedule


def change_sensor(image: Image, job: Job, automation: Automation) -> dg.SensorDefinition:
    """Define the sensor `watch_<image>`, which requests what `look_at` finds to be made again.

    It skips if the store does not answer. The cursor is the last version that it saw, at first that of the last
    `source_image`.
    """

    @dg.sensor(
        name=f"watch_{image.name}",
        job=job,
        minimum_interval_seconds=automation.watch_seconds,
        default_status=dg.DefaultSensorStatus.RUNNING if automation.watch else dg.DefaultSensorStatus.STOPPED,
        description=f"Runs everything of {image.name} after its pixels changed in their store.",
    )
    def sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        look = look_at(context.instance, image, context.cursor)
        if not look.runs:
            if look.version:
                context.update_cursor(look.version)
            return dg.SkipReason(look.reason)
        # Without a run key, because Dagster accepts each key only once: an image may change back and forth.
        requests = [dg.RunRequest(tags=tags) for tags in look.runs]
        return dg.SensorResult(run_requests=requests, cursor=look.version)

    return sensor


def refresh_sensor(
    name: str, target: Sequence[dg.AssetKey], automation: Automation
) -> dg.AutomationConditionSensorDefinition:
    """Define the sensor `refresh_<name>`, which makes figures and measures again after labels changed."""
    return dg.AutomationConditionSensorDefinition(
        name=f"refresh_{name}",
        target=dg.AssetSelection.assets(*target),
        default_status=dg.DefaultSensorStatus.RUNNING if automation.refresh else dg.DefaultSensorStatus.STOPPED,
        description=f"Draws the figures of {name} and measures its objects again after labels changed.",
    )


def _request(instance: dg.DagsterInstance, image: Image, cells: Collection[Cell]) -> Iterator[dg.RunRequest]:
    plane_labels = [dg.AssetKey(image.key("plane_labels"))]
    for tags in plan_runs(instance, image, cells):
        # Dagster requires a key for each of several requests, and compares only the keys of one tick.
        run_key = "/".join([*image.key("plane_labels"), *(tags[name] for name in RANGE_TAGS)])
        yield dg.RunRequest(run_key, asset_selection=plane_labels, tags=tags)
