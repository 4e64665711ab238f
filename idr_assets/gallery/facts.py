"""What became of an image: planes, objects, checks, and the files that exist. Reads, and writes nothing."""

import os
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import dagster as dg
import pyarrow.parquet as pq
from pyarrow import ArrowException

from idr_assets.orchestration.assets.plane_checks import check_specs
from idr_assets.orchestration.image import Image
from idr_assets.orchestration.partitions import cells_by_key, window_partitions
from idr_assets.orchestration.versions import source_key

MOST_COUNTED = 20_000
"""Planes of a window of which the failed ones are counted too: Dagster needs a second for half a million."""


class Check(NamedTuple):
    """What a check said last: `passed`, `failed`, `warned`, or `not evaluated`."""

    asset: str
    name: str
    said: str


class Objects(NamedTuple):
    """How many objects the tables have, None if there is no table, and the names of those that cannot be read."""

    number: int | None
    unreadable: Sequence[str]


def count_planes(instance: dg.DagsterInstance, image: Image) -> dict[str, int]:
    """Count the partitions of the window, of `each` so many planes, and those done and failed, as far as they are."""
    key, total = dg.AssetKey(image.key("plane_labels")), len(image.t) * len(image.z)
    size = {"of": total, "each": len(image.window.c)}
    if total > MOST_COUNTED:
        return size | {"done": min(total, len(instance.get_materialized_partitions(key)))}
    keys = list(cells_by_key(image))
    states = instance.get_status_by_partition(key, keys, window_partitions(image)) or {}
    named = [state.name for state in states.values() if state]
    return size | {"done": named.count("MATERIALIZED"), "failed": named.count("FAILED")}


def count_objects(image: Image) -> Objects:
    """Count the objects of the tables of the window, and list the tables that cannot be read."""
    rows, unreadable = [], []
    for url in image.objects_urls.values():
        try:
            rows.append(pq.read_metadata(url).num_rows)
        except FileNotFoundError:
            continue
        except (ArrowException, OSError):
            unreadable.append(url.rpartition("/")[2])
    return Objects(sum(rows) if rows else None, unreadable)


def list_checks(instance: dg.DagsterInstance, image: Image) -> list[Check]:
    """List the checks of an image and what they said last."""
    labels = dg.AssetKey(image.key("plane_labels"))
    keys = [dg.AssetCheckKey(source_key(image), "matches_yaml")]
    keys += [dg.AssetCheckKey(labels, spec.name) for spec in check_specs(labels, image)]
    found = instance.event_log_storage.get_latest_asset_check_execution_by_key(keys)
    return [Check(key.asset_key.path[-1], key.name, _name(found.get(key))) for key in keys]


def list_files(image: Image) -> Mapping[str, str]:
    """Return the addresses of the files of an image that exist, by what they are."""
    every = {
        "montage": image.montage_url,
        "slider page": image.browser_url,
        "counts": image.counts_url("png"),
        "objects": image.objects_url,
        "published": image.published_url,
        "labels": image.labels_url,
        "comparison": image.comparison_url,
        "agreement": image.agreement_url("png"),
    }
    return {name: url for name, url in every.items() if os.path.exists(url)}  # noqa: PTH110  addresses are texts


def _name(record: Any) -> str:  # noqa: ANN401  of Dagster
    event = record.event.dagster_event if record and record.event else None
    said = event.event_specific_data if event else None
    if not isinstance(said, dg.AssetCheckEvaluation):  # planned, and not evaluated yet
        return "not evaluated"
    warns = said.severity == dg.AssetCheckSeverity.WARN
    return "passed" if said.passed else "warned" if warns else "failed"
