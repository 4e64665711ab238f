"""What runs have told Dagster of partitions so far, and of which no check has judged; by Dagster's public ways."""

from collections.abc import Iterator

import dagster as dg

PAGE = 1000
"""Events in one request to the event log."""

MOST_RUNS = 25
"""Runs of an asset, the last ones, that are asked whether they evaluated its checks."""


def read_told_partitions(
    instance: dg.DagsterInstance, run_id: str, asset: dg.AssetKey
) -> Iterator[dg.AssetMaterialization]:
    """Yield the materializations of an asset that a run told of, the first first."""
    cursor, more = None, True
    while more:
        found = instance.get_records_for_run(run_id, cursor, dg.DagsterEventType.ASSET_MATERIALIZATION, PAGE)
        cursor, more = found.cursor, found.has_more
        events = (record.asset_materialization for record in found.records)
        yield from (event for event in events if event and event.asset_key == asset)


def find_unevaluated(instance: dg.DagsterInstance, check: dg.AssetCheckKey) -> list[str]:
    """Return the runs that ended without evaluating a check, such as killed ones, the first first.

    Left out are those that had ended when a run began that evaluated it: that run has judged their planes too.
    """
    records = instance.event_log_storage.get_asset_check_execution_history(check, MOST_RUNS)
    judged = max((record.create_timestamp for record in records if record.status.value != "PLANNED"), default=0.0)
    planned = [record.run_id for record in records if record.status.value == "PLANNED"]
    runs = instance.get_run_records(dg.RunsFilter(run_ids=planned)) if planned else []
    ended = [(run.end_time, run.dagster_run.run_id) for run in runs if run.end_time and run.end_time > judged]
    return [run_id for _, run_id in sorted(ended)]
