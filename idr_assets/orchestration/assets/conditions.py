"""When assets that are made from labels are made again by themselves."""

from typing import Any

import dagster as dg


def when_changed() -> dg.AutomationCondition[Any]:
    """Say when what is made from labels is made anew: when these were updated, and no run is still at it.

    What was made by this condition is as old as its request: labels may change while it is made. What else was made, by
    a whole job for example, is as old as its own update.
    """
    # Times decide between what is seen at one look. Dagster keeps them for single conditions, not for combined ones,
    # such as `any_deps_updated`, which also takes labels and figures of one job without a selection for two runs'.
    changed = dg.AutomationCondition.any_deps_match(dg.AutomationCondition.newly_updated())
    requested, updated = dg.AutomationCondition.newly_requested(), dg.AutomationCondition.newly_updated()
    by_itself = dg.AutomationCondition.executed_with_tags(tag_values={"dagster/from_automation_condition": "true"})
    waiting = changed.since(requested) & (changed.since(updated) | by_itself)
    idle = ~dg.AutomationCondition.any_deps_in_progress() & ~dg.AutomationCondition.in_progress()
    return waiting & idle


def when_settled() -> dg.AutomationCondition[Any]:
    """Say the same for what is made in turn from what is made from labels: not while labels are made or are new.

    Of such labels more is still to come, though no run may be at it yet.
    """
    coming = dg.AutomationCondition.in_progress() | dg.AutomationCondition.newly_updated()
    at_labels = dg.AutomationCondition.any_deps_match(dg.AutomationCondition.any_deps_match(coming))
    return when_changed() & ~at_labels
