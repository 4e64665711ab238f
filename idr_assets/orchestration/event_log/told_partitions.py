"""Tell Dagster of partitions while their run works, instead of when it ends.

On success, Dagster itself writes an event for each partition of the run, and keeps all of them in memory for that.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from logging import DEBUG
from time import time
from uuid import uuid4

import dagster as dg
from dagster._core.events import DagsterEvent, DagsterEventBatchMetadata, StepMaterializationData
from dagster._core.storage.tags import EXTERNALLY_MANAGED_ASSETS_TAG


def tell_partitions(context: dg.AssetExecutionContext, events: Sequence[dg.AssetMaterialization]) -> None:
    """Store materializations of the run's asset in batches; the partitions count at once.

    Dagster would hand them to the log of the run, in which no thread can write a line while a batch is stored.
    """
    step, batch = context.get_step_execution_context(), uuid4().hex
    for number, event in enumerate(events, 1):
        told = DagsterEvent(
            dg.DagsterEventType.ASSET_MATERIALIZATION.value,
            step.job_name,
            step_handle=step.step.handle,
            node_handle=step.step.node_handle,
            step_kind_value=step.step.kind.value,
            logging_tags=step.event_tags,
            event_specific_data=StepMaterializationData(event),
            message="Materialized value.",
            pid=os.getpid(),
        )
        entry = dg.EventLogEntry(  # type: ignore[no-untyped-call]
            None, DEBUG, told.message, context.run.run_id, time(), step.step.key, step.job_name, dagster_event=told
        )
        end = DagsterEventBatchMetadata(batch, is_end=number == len(events))
        context.instance.handle_new_event(entry, batch_metadata=end)


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
