"""Report many materializations at once, as batches."""

from collections.abc import Sequence
from uuid import uuid4

import dagster as dg
from dagster._core.events import DagsterEvent, DagsterEventBatchMetadata, DagsterEventType, StepMaterializationData
from dagster._core.instance.utils import RUNLESS_JOB_NAME, RUNLESS_RUN_ID


def report_materializations(instance: dg.DagsterInstance, events: Sequence[dg.AssetMaterialization]) -> None:
    """Report materializations that no run made."""
    batch = uuid4().hex
    for number, event in enumerate(events, 1):
        told = DagsterEvent(
            event_type_value=DagsterEventType.ASSET_MATERIALIZATION.value,
            event_specific_data=StepMaterializationData(event),
            job_name=RUNLESS_JOB_NAME,
        )
        end = DagsterEventBatchMetadata(batch, is_end=number == len(events))
        instance.report_dagster_event(told, RUNLESS_RUN_ID, batch_metadata=end)
