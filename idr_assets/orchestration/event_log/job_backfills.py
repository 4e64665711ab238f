"""Let the backfill of a job be re-executed from failure.

For each range of partitions Dagster looks for the run that failed, but takes a single partition only, and the whole
backfill would fail: `Param "partition_name" is not a str`.
"""

from functools import cache
from inspect import signature

import dagster as dg
from dagster._core.execution import job_backfill
from dagster._core.remote_representation.external import RemotePartitionSet
from dagster._core.storage.tags import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
    PARTITION_SET_TAG,
)

NAME, PARAMETERS = "_fetch_last_run", ["instance", "remote_partition_set", "partition_key_or_range"]
"""The function that looks, and its parameters."""


@cache
def find_runs_of_ranges() -> None:
    """Let Dagster find the last run of a range too, in this process; leave another Dagster than the known one alone."""
    fetch = getattr(job_backfill, NAME, None)
    if fetch is None or [*signature(fetch).parameters] != PARAMETERS:
        return

    def fetch_last_run(
        instance: dg.DagsterInstance, remote_partition_set: RemotePartitionSet, asked: str | dg.PartitionKeyRange
    ) -> dg.DagsterRun | None:
        if isinstance(asked, str):
            found: dg.DagsterRun | None = fetch(instance, remote_partition_set, asked)
            return found
        tags = {
            PARTITION_SET_TAG: remote_partition_set.name,
            ASSET_PARTITION_RANGE_START_TAG: asked.start,
            ASSET_PARTITION_RANGE_END_TAG: asked.end,
        }
        wanted = dg.RunsFilter(job_name=remote_partition_set.job_name, tags=tags)
        return next(iter(instance.get_runs(wanted, limit=1)), None)

    setattr(job_backfill, NAME, fetch_last_run)
