"""What a run tells Dagster of partitions that it made one by one."""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from idr_assets.orchestration.event_log import add_partition_metadata


def report_partitions(
    context: dg.AssetExecutionContext, found: Mapping[str, dict[str, Any]], failures: Mapping[str, str], what: str
) -> dg.MaterializeResult[None]:
    """Report partitions with their metadata, and fail with the reasons for others; `what` is such as `wells measured`.

    Raises
    ------
    dagster.Failure
        If there are failures. What was found counts as materialized.
    """
    if not failures:
        add_partition_metadata(context, found)
        return dg.MaterializeResult()
    for key, metadata in found.items():
        context.log_event(dg.AssetMaterialization(context.asset_key, partition=key, metadata=metadata))
    kind, done = what.split()
    listed = "\n".join(f"{name}: {reason}" for name, reason in failures.items())
    message = (
        f"{kind.capitalize()} that could not be {done}: {len(failures)}. {done.capitalize()}: {len(found)}.\n{listed}"
    )
    raise dg.Failure(message, metadata={f"failed {kind}": len(failures)}, allow_retries=False)
