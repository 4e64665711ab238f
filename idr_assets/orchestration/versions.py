"""Versions of code and data, which Dagster compares to find out what is stale."""

from collections.abc import Mapping

import dagster as dg

from idr_assets.imaging.segmentation.recipe import hash_parts
from idr_assets.orchestration.image import Image

INPUT = "dagster/input_data_version/"
"""Prefix of the tag with the version of an asset that a plane was made from."""

COMPARED = ("dagster/code_version", INPUT)
"""Prefixes of the tags with the recipe and the image."""

PAGE = 1000
"""Events in one request to the event log."""


def source_key(image: Image) -> dg.AssetKey:
    """Return the key of the asset of the source of an image, such as `source_image`."""
    return dg.AssetKey([image.name, image.source_asset])


def version_tags(instance: dg.DagsterInstance, image: Image) -> dict[str, str]:
    """Return the tags that Dagster sets on what an asset returns, for labels that a failing run logs itself.

    Without them, the good planes of a run in which others failed could never become stale.
    """
    storage_id, event = latest_materialization(instance, source_key(image))
    if event is None:
        return {"dagster/code_version": image.recipe.version}
    name, version = source_key(image).to_user_string(), (event.tags or {}).get("dagster/data_version", "")
    return {
        "dagster/code_version": image.recipe.version,
        "dagster/data_version": hash_parts([image.recipe.version, version]),
        f"{INPUT}{name}": version,
        f"dagster/input_event_pointer/{name}": str(storage_id),
    }


def is_stale(noted: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
    """Return whether the tags `noted` name another recipe or image than the tags `wanted`."""
    compared = [tag for tag in wanted if tag.startswith(COMPARED)]
    return any(noted.get(tag) != wanted[tag] for tag in compared)


def latest_materialization(
    instance: dg.DagsterInstance, key: dg.AssetKey
) -> tuple[int, dg.AssetMaterialization | None]:
    """Return the last materialization of an asset with its storage ID, or (0, None)."""
    (record,) = instance.get_asset_records([key]) or (None,)
    last = record and record.asset_entry.last_materialization_record
    return (last.storage_id, last.asset_materialization) if last and last.asset_materialization else (0, None)


def latest_tags(instance: dg.DagsterInstance, key: dg.AssetKey) -> dict[str, Mapping[str, str]]:
    """Return the tags of the last materialization of each partition of an asset."""
    return {partition: event.tags or {} for partition, event in latest_events(instance, key).items()}


def latest_events(instance: dg.DagsterInstance, key: dg.AssetKey) -> dict[str, dg.AssetMaterialization]:
    """Return the last materialization of each partition of an asset."""
    events: dict[str, dg.AssetMaterialization] = {}
    found = instance.fetch_materializations(key, limit=PAGE)
    while True:
        for record in found.records:  # the newest first
            if record.partition_key and record.asset_materialization:
                events.setdefault(record.partition_key, record.asset_materialization)
        if not found.has_more:
            return events
        found = instance.fetch_materializations(key, limit=PAGE, cursor=found.cursor)
