"""Which version of code and data an asset is: what Dagster compares to tell what is stale."""

import hashlib
import inspect
import json
import re
from collections.abc import Mapping
from typing import Any

import dagster as dg

from idr_assets.imaging.segmentation.functions import SegmentationFunction
from idr_assets.imaging.segmentation.recipe import version_of
from idr_assets.orchestration.image import Image

COMPARED = ("dagster/code_version", "dagster/input_data_version/")
"""Starts of the tags that tell the recipe and the image."""


def recipe_version(image: Image) -> str:
    """Give the version of an image's labels: a hash of function, its own version, parameters and channels.

    Only what may change labels counts: neither layout of the function, nor whether a default is written, nor `1` for
    `1.0`, nor the order of channels.
    """
    function, channels = image.function, sorted(image.channels)
    return _hash([image.function_path, version_of(function), _parameters(function, image.parameters), channels])


def _parameters(function: SegmentationFunction, given: Mapping[str, Any]) -> dict[str, Any]:
    bound = inspect.signature(function).bind(None, **given)
    bound.apply_defaults()
    _planes, *parameters = bound.arguments.items()
    return {name: _plain(value) for name, value in parameters}


def _plain(value: Any) -> Any:  # noqa: ANN401  any value that YAML may hold
    match value:
        case float() if value.is_integer():
            return int(value)
        case dict():
            return {name: _plain(item) for name, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
    return value


def tell_source(context: dg.AssetExecutionContext, image: Image, mark: str) -> None:
    """Tell Dagster that the image has the fingerprint `mark`, where it knows of none or of another.

    Labels note the image that Dagster knows. Made of pixels that it does not know, they would go stale once it does.
    """
    source = dg.AssetKey([image.name, "source_image"])
    if _known(context.instance, source)[1] == mark:
        return
    metadata = {"fingerprint": dg.MetadataValue.text(mark), "seen by": dg.MetadataValue.dagster_run(context.run.run_id)}
    seen = dg.AssetMaterialization(source, metadata=metadata, tags={"dagster/data_version": mark})
    context.instance.report_runless_asset_event(seen)  # at once, where an event of the run would wait for its outputs
    context.get_step_execution_context().wipe_input_asset_version_info(source)  # Dagster asked before the step


def version_tags(instance: dg.DagsterInstance, image: Image) -> dict[str, str]:
    """Give the tags that Dagster sets on what an asset returns, for the labels that a failing run logs itself.

    Without them, the good planes of a run in which another one failed would never be seen to be stale.
    """
    source = dg.AssetKey([image.name, "source_image"])
    storage_id, version = _known(instance, source)
    if version is None:
        return {"dagster/code_version": recipe_version(image)}
    name = source.to_user_string()
    return {
        "dagster/code_version": recipe_version(image),
        "dagster/data_version": _hash([recipe_version(image), version]),
        f"dagster/input_data_version/{name}": version,
        f"dagster/input_event_pointer/{name}": str(storage_id),
    }


def is_stale(noted: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
    """Tell whether labels with the tags `noted` come of another recipe or image than the tags `wanted` say."""
    compared = [tag for tag in wanted if tag.startswith(COMPARED)]
    return any(noted.get(tag) != wanted[tag] for tag in compared)


def _known(instance: dg.DagsterInstance, source: dg.AssetKey) -> tuple[int, str | None]:
    """Give the storage ID and the data version of an asset's last materialization, None where there is none."""
    (record,) = instance.get_asset_records([source]) or (None,)
    materialized = record and record.asset_entry.last_materialization_record
    if not (materialized and materialized.asset_materialization):
        return 0, None
    tags = materialized.asset_materialization.tags or {}
    return materialized.storage_id, tags.get("dagster/data_version", "")


def _hash(parts: object) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=_named).encode()).hexdigest()[:16]


def _named(value: object) -> str:
    return re.sub(" at 0x[0-9a-f]+", "", str(value))  # the same in each process
