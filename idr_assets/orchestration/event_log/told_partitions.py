"""Tell Dagster of partitions while their run works, instead of when it ends.

On success, Dagster itself writes an event for each partition of the run, and keeps all of them in memory for that.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from uuid import uuid4

import dagster as dg
from dagster._core.events import DagsterEvent, DagsterEventBatchMetadata
from dagster._core.storage.tags import EXTERNALLY_MANAGED_ASSETS_TAG


def tell_partitions(context: dg.AssetExecutionContext, events: Sequence[dg.AssetMaterialization]) -> None:
    """Store materializations of the run's asset in batches; the partitions count at once."""
    step, batch = context.get_step_execution_context(), uuid4().hex
    for number, event in enumerate(events, 1):
        DagsterEvent.asset_materialization(step, event, DagsterEventBatchMetadata(batch, number == len(events)))


@contextmanager
def withhold_events(context: dg.AssetExecutionContext) -> Iterator[None]:
    """Keep Dagster from writing events for the partitions of an output that is yielded meanwhile: all are told.

    Dagster looks for this tag in the run that the process holds. The stored run does not have it, so that planned
    events and whatever else depends on the tag are as always.
    """
    tags = context.get_step_execution_context().dagster_run.tags
    tags[EXTERNALLY_MANAGED_ASSETS_TAG] = "true"
    try:
        yield
    finally:
        del tags[EXTERNALLY_MANAGED_ASSETS_TAG]
