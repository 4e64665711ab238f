"""The sensor that looks whether images of a list changed in their stores."""

import json
from collections.abc import Mapping, Sequence
from time import monotonic
from typing import Any

import dagster as dg

from idr_assets.orchestration.assets.names import segment_keys
from idr_assets.orchestration.automation.looks import look_at
from idr_assets.orchestration.automation.schedules import Automation
from idr_assets.orchestration.image import Image

SECONDS = 30.0
"""Seconds for the looks of one tick, which Dagster ends after 60: other images are looked at in the next one."""


def list_sensor(
    name: str, images: Sequence[Sequence[Image]], target: Mapping[str, Any], automation: Automation
) -> dg.SensorDefinition:
    """Define the sensor `watch_<name>`, which requests the whole window of each image whose version changed.

    The cursor holds the last version of each image, and the image that is looked at next.
    """
    by_name = {each[0].name: each for each in images}

    @dg.sensor(
        name=f"watch_{name}",
        **target,
        minimum_interval_seconds=automation.watch_seconds,
        default_status=dg.DefaultSensorStatus.RUNNING if automation.watch else dg.DefaultSensorStatus.STOPPED,
        description=f"Runs everything of an image of {name} after its pixels changed in their store.",
    )
    def sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        cursor = json.loads(context.cursor or "{}")
        versions = {image: version for image, version in cursor.get("versions", {}).items() if image in by_name}
        requests, reasons, end = [], [], monotonic() + SECONDS
        order = _from(list(by_name), cursor.get("next"))
        while order and monotonic() < end:
            image = order.pop(0)
            look = look_at(context.instance, by_name[image][0], versions.get(image))
            versions |= {image: look.version} if look.version else {}
            requests += [dg.RunRequest(asset_selection=segment_keys(by_name[image]), tags=tags) for tags in look.runs]
            reasons.append(look.reason)
        kept = {"versions": versions} | ({"next": order[0]} if order else {})
        reason = None if requests else "\n".join([*reasons[:20], f"{len(reasons)} of {len(by_name)} images looked at."])
        return dg.SensorResult(run_requests=requests, skip_reason=reason, cursor=json.dumps(kept))

    return sensor


def _from(names: list[str], first: str | None) -> list[str]:
    at = names.index(first) if first in names else 0
    return names[at:] + names[:at]
