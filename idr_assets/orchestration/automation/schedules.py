"""What runs automatically for an image: missing planes on a schedule, everything after the image changed, figures.

Every image has all three; they are off unless its YAML turns them on.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Self

import dagster as dg
from pydantic import BaseModel, Field, StrictInt, model_validator

from idr_assets.imaging.errors import ImageError
from idr_assets.orchestration.automation.missing import IN_PROGRESS, find_states, in_states, missing_planes, plan_runs
from idr_assets.orchestration.image import Image
from idr_assets.orchestration.longer_axes import rename_shorter_keys
from idr_assets.orchestration.partitions import RANGE_TAGS, range_tags
from idr_assets.orchestration.rectangles import Cell
from idr_assets.orchestration.source_version import find_last_seen, find_version, hasten

type Job = Any  # of `define_asset_job`, whose type Dagster does not export

BUSY = "A run makes planes of %s. The others are requested when it has ended."


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
    """Define the sensor `watch_<image>`, which requests the whole window after the version of the image changed.

    It reads metadata, and a few planes if the image grew. It skips if the store does not answer. The cursor is the last
    version that it saw, at first that of the last `source_image`.
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
        if not look.changed:
            if look.version:
                context.update_cursor(look.version)
            return dg.SkipReason(look.reason)
        # Without a run key, because Dagster accepts each key only once: an image may change back and forth.
        request = dg.RunRequest(tags=range_tags(image, image.window))
        return dg.SensorResult(run_requests=[request], cursor=look.version)

    return sensor


class Look(NamedTuple):
    """What a look at the store of an image finds: the version to keep, if any, and whether everything is to run."""

    version: str | None
    changed: bool
    reason: str


def look_at(instance: dg.DagsterInstance, image: Image, last_version: str | None) -> Look:
    """Find out whether an image changed since a look found `last_version`, or since the last `source_image`."""
    from idr_assets.imaging.reading.fingerprint import read_fingerprint  # noqa: PLC0415  zarr, for a look only

    try:
        level = hasten(image).source.open()
        fingerprint = read_fingerprint(level, image.storage_options).digest
    except ImageError as error:
        return Look(None, changed=False, reason=f"Cannot find out now whether {image.name} changed: {error}")
    seen, last = find_version(instance, image, level, fingerprint), find_last_seen(instance, image)
    if (last_version or (last and last.version)) in {None, seen.version}:
        reason = f"What is done of {image.name} is unchanged; its fingerprint is {fingerprint}."
        return Look(seen.version, changed=False, reason=reason)
    if missing_planes(instance, image, [IN_PROGRESS]):
        return Look(None, changed=False, reason=BUSY % image.title)
    return Look(seen.version, changed=True, reason=f"{image.name} changed.")


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
