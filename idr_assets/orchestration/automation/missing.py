"""Find the planes of an image that are still to be made, and the runs that make them."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from enum import Enum

import dagster as dg

from idr_assets.orchestration.dead_runs import fail_dead_runs
from idr_assets.orchestration.image import Image
from idr_assets.orchestration.partitions import (
    cells_by_key,
    cover,
    range_tags,
    rectangles,
    row_names,
    window_partitions,
)
from idr_assets.orchestration.rectangles import Cell
from idr_assets.orchestration.scattered import TAKES_OVER, scatter_tags
from idr_assets.orchestration.versions import is_stale, latest_tags, version_tags

TO_DO = (None, "FAILED")
"""States of a partition that was never materialized, or that failed in its last run."""

IN_PROGRESS = "IN_PROGRESS"
"""State of a partition whose run has not ended, as far as Dagster knows."""

DONE = "MATERIALIZED"
"""State of a partition whose last run succeeded."""


def missing_planes(instance: dg.DagsterInstance, image: Image, states: Collection[str | None] = TO_DO) -> set[Cell]:
    """Return (t, z) of the partitions of `plane_labels` in these states, by default missing and failed ones.

    Dead runs are marked as failed first. A plane counts as done only if it has a record, since Dagster keeps the state
    of planes whose run was deleted.
    """
    return in_states(find_states(instance, image), states)


def in_states(found: Mapping[str | None, set[Cell]], states: Collection[str | None] = TO_DO) -> set[Cell]:
    """Return the (t, z) in any of these states."""
    return set().union(*(found.get(state, ()) for state in states))


def find_states(instance: dg.DagsterInstance, image: Image) -> dict[str | None, set[Cell]]:
    """Return (t, z) of all partitions of `plane_labels` by their state, see `missing_planes`."""
    fail_dead_runs(instance)
    cells, plane_labels = cells_by_key(image), dg.AssetKey(image.key("plane_labels"))
    found = instance.get_status_by_partition(plane_labels, list(cells), window_partitions(image)) or {}
    recorded = instance.get_materialized_partitions(plane_labels)
    states: dict[str | None, set[Cell]] = defaultdict(set)
    for key, cell in cells.items():
        states[_name(found.get(key), recorded=key in recorded)].add(cell)
    return states


def done_planes(instance: dg.DagsterInstance, image: Image) -> set[Cell]:
    """Return (t, z) of all other partitions."""
    return {(plane.t, plane.z) for plane in image.window.planes()} - missing_planes(instance, image)


def stale_planes(instance: dg.DagsterInstance, image: Image) -> set[Cell]:
    """Return (t, z) of the partitions whose recipe or image has changed since; Dagster marks them as well."""
    wanted, noted = version_tags(instance, image), latest_tags(instance, dg.AssetKey(image.key("plane_labels")))
    cells = cells_by_key(image)
    return {cells[key] for key, tags in noted.items() if key in cells and is_stale(tags, wanted)}


def plan_runs(instance: dg.DagsterInstance, image: Image, cells: Collection[Cell]) -> list[dict[str, str]]:
    """Return the tags of the runs that make the given (t, z), and no others: one run.

    Planes that are stored already are taken over. With Dagster's own event log it is a run for each rectangle: planes
    between them would count as failed.
    """
    from idr_assets.orchestration.event_log import makes_scattered  # noqa: PLC0415

    if cells and makes_scattered(instance):
        block = cover(image, cells)
        return [range_tags(image, block) | TAKES_OVER | scatter_tags(cells, block.t, block.z, row_names(image, block))]
    return [range_tags(image, block) | TAKES_OVER for block in rectangles(image, cells)]


def _name(state: Enum | None, *, recorded: bool) -> str | None:
    return None if state is None or (state.name == DONE and not recorded) else state.name
