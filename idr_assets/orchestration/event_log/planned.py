"""Leave out planned events of partitions that a run does not make, although they are in its range.

Dagster plans the whole range of a run: without this, planes between those of a scattered run would count as in progress
while it works, and as failed if it fails.
"""

from collections.abc import Sequence

import dagster as dg
from dagster._core.storage.event_log import SqlEventLogStorage

from idr_assets.orchestration.scattered import locate, read_scattered


class ScatteredPlans(SqlEventLogStorage):
    """Knows planned events of the planes that a run makes, and of no others."""

    def drop_unplanned(self, events: Sequence[dg.EventLogEntry]) -> Sequence[dg.EventLogEntry]:
        """Return the events of a run without plans for partitions that it does not make."""
        if not any(map(_read_planned, events)):
            return events
        run = self._instance.get_run_by_id(events[0].run_id)
        cells = read_scattered(run.tags) if run else None
        if cells is None:
            return events
        keys = [(event, _read_planned(event)) for event in events]
        return [event for event, key in keys if not (key and run) or locate(run.tags, key) in cells]


def makes_scattered(instance: dg.DagsterInstance) -> bool:
    """Return whether runs of an instance can make planes here and there."""
    return isinstance(instance.event_log_storage, ScatteredPlans)


def _read_planned(event: dg.EventLogEntry) -> str | None:
    """Return the key of the partition T x Z that an event plans, or None."""
    if event.dagster_event_type != dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED:
        return None
    key = event.get_dagster_event().partition or ""
    return key if "|" in key else None
