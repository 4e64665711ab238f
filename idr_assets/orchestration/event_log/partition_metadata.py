"""Metadata of many partitions at once.

At each call, Dagster's `context.add_asset_metadata` lists the partitions of the run and copies all earlier metadata: 15
seconds for a thousand partitions, and a hundred times that for ten thousand.
"""

from collections.abc import Mapping
from typing import Any

import dagster as dg
from dagster._core.execution.context.metadata_logging import AssetMetadataHandle, OutputMetadataAccumulator


def add_partition_metadata(context: dg.AssetExecutionContext, metadata: Mapping[str, Mapping[str, Any]]) -> None:
    """Attach metadata to partitions of the run, by partition key."""
    step = context.get_step_execution_context()
    known = dict(step._metadata_accumulator.per_output_metadata)  # noqa: SLF001
    for key, values in metadata.items():
        handle = AssetMetadataHandle(asset_key=context.asset_key, partition_key=key)
        known[handle] = {**known.get(handle, {}), **values}
    step._metadata_accumulator = OutputMetadataAccumulator(per_output_metadata=known)  # noqa: SLF001
