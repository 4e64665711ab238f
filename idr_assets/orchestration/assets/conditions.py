"""When assets that are made from labels are made again automatically."""

from functools import cache
from typing import Any

import dagster as dg


@cache  # each of many images has four
def when_changed() -> dg.AutomationCondition[Any]:
    """Return the condition that labels were updated since the asset was made, and that no run is making either.

    An asset that this condition made counts as old as its request, since labels may change while it is made. An asset
    that something else made, such as a job, counts as old as its own update.
    """
    # Several events of one tick are ordered by their times. Dagster keeps times for single conditions, not for combined
    # ones such as `any_deps_updated`, which also takes labels and figures of one job for those of two runs.
    changed = dg.AutomationCondition.any_deps_match(dg.AutomationCondition.newly_updated())
    requested, updated = dg.AutomationCondition.newly_requested(), dg.AutomationCondition.newly_updated()
    by_itself = dg.AutomationCondition.executed_with_tags(tag_values={"dagster/from_automation_condition": "true"})
    waiting = changed.since(requested) & (changed.since(updated) | by_itself)
    idle = ~dg.AutomationCondition.any_deps_in_progress() & ~dg.AutomationCondition.in_progress()
    return waiting & idle


@cache
def when_settled() -> dg.AutomationCondition[Any]:
    """Return the same for an asset that is made from such an asset: not while labels are being made, or are new.

    New labels mean that the asset in between is about to change, even if no run makes it yet.
    """
    coming = dg.AutomationCondition.in_progress() | dg.AutomationCondition.newly_updated()
    at_labels = dg.AutomationCondition.any_deps_match(dg.AutomationCondition.any_deps_match(coming))
    return when_changed() & ~at_labels
