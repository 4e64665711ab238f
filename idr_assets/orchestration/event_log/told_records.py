"""What a run has told Dagster of partitions so far, by Dagster's public ways."""

from collections.abc import Iterator

import dagster as dg

PAGE = 1000
"""Events in one request to the event log."""


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
