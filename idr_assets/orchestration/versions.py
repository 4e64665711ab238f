"""Versions of code and data, which Dagster compares to find out what is stale."""

from collections.abc import Mapping

import dagster as dg

from idr_assets.imaging.segmentation.recipe import hash_parts
from idr_assets.orchestration.image import Image

COMPARED = ("dagster/code_version", "dagster/input_data_version/")
"""Prefixes of the tags with the recipe and the image."""


def report_source(context: dg.AssetExecutionContext, image: Image, fingerprint: str) -> None:
    """Report the image's fingerprint to Dagster, unless it is known.

    Labels record the fingerprint that Dagster knows. Without this, they would become stale as soon as it learns the new
    one.
    """
    source = dg.AssetKey([image.name, "source_image"])
    if _known(context.instance, source)[1] == fingerprint:
        return
    seen_by = dg.MetadataValue.dagster_run(context.run.run_id)
    seen = dg.AssetMaterialization(
        source,
        metadata={"fingerprint": dg.MetadataValue.text(fingerprint), "seen by": seen_by},
        tags={"dagster/data_version": fingerprint},
    )
    context.instance.report_runless_asset_event(seen)  # at once; an event of the run would wait for its outputs
    context.get_step_execution_context().wipe_input_asset_version_info(source)  # Dagster asked before the step


def version_tags(instance: dg.DagsterInstance, image: Image) -> dict[str, str]:
    """Return the tags that Dagster sets on what an asset returns, for labels that a failing run logs itself.

    Without them, the good planes of a run in which others failed could never become stale.
    """
    source = dg.AssetKey([image.name, "source_image"])
    storage_id, version = _known(instance, source)
    if version is None:
        return {"dagster/code_version": image.recipe.version}
    name = source.to_user_string()
    return {
        "dagster/code_version": image.recipe.version,
        "dagster/data_version": hash_parts([image.recipe.version, version]),
        f"dagster/input_data_version/{name}": version,
        f"dagster/input_event_pointer/{name}": str(storage_id),
    }


def is_stale(noted: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
    """Return whether the tags `noted` name another recipe or image than the tags `wanted`."""
    compared = [tag for tag in wanted if tag.startswith(COMPARED)]
    return any(noted.get(tag) != wanted[tag] for tag in compared)


def _known(instance: dg.DagsterInstance, source: dg.AssetKey) -> tuple[int, str | None]:
    """Return the storage ID and the data version of an asset's last materialization, or (0, None)."""
    (record,) = instance.get_asset_records([source]) or (None,)
    materialized = record and record.asset_entry.last_materialization_record
    if not (materialized and materialized.asset_materialization):
        return 0, None
    tags = materialized.asset_materialization.tags or {}
    return materialized.storage_id, tags.get("dagster/data_version", "")
