"""Rename the records of partitions: materializations count for the new key, and no longer for the old one."""

from collections.abc import Iterator, Mapping
from contextlib import suppress

import dagster as dg

from idr_assets.orchestration.event_log import report_materializations

PAGE = 1000
"""Events in one request to the event log."""

DIMENSION = "dagster/partition/"
"""Prefix of the tag with a partition's key in one dimension."""


def rename_partitions(instance: dg.DagsterInstance, asset: dg.AssetKey, names: Mapping[str, str]) -> None:
    """Report the last materialization of each partition again under its new name, and forget the old name.

    `names` maps old names to new ones. A new name that has a later record keeps it. If the instance cannot forget
    single partitions, the old names stay.
    """
    renamed = [_rename(event, names[old]) for old, event in _last(instance, asset, names)]
    report_materializations(instance, renamed)
    with suppress(NotImplementedError):
        instance.wipe_asset_partitions(asset, [*names])


def _last(
    instance: dg.DagsterInstance, asset: dg.AssetKey, names: Mapping[str, str]
) -> Iterator[tuple[str, dg.AssetMaterialization]]:
    """Yield the last materialization of each partition with these names, unless one of its new name is later."""
    wanted, cursor, more = set(names.values()), None, True
    while wanted and more:
        found = instance.fetch_materializations(asset, limit=PAGE, cursor=cursor)
        cursor, more = found.cursor, found.has_more
        for record in found.records:  # the newest first
            key = str(record.partition_key)
            if names.get(key, key) in wanted and record.asset_materialization:
                wanted.remove(names.get(key, key))
                if key in names:
                    yield key, record.asset_materialization


def _rename(event: dg.AssetMaterialization, name: str) -> dg.AssetMaterialization:
    tags = dict(event.tags or {})
    dimensions = zip(sorted(tag for tag in tags if tag.startswith(DIMENSION)), name.split("|"), strict=False)
    return dg.AssetMaterialization(
        event.asset_key,
        description=event.description,
        metadata=event.metadata,
        partition=name,
        tags=tags | dict(dimensions),
    )
