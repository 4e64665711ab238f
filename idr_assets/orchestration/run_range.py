"""Refuse runs that make other partitions than those that they count for."""

from collections.abc import Mapping

import dagster as dg

from idr_assets.orchestration.partitions import RANGE_TAGS

MOST_RANGES = 25
"""Ranges that Dagster launches at once of a job's backfill over T x Z. It takes them in no order and goes on behind the
last one, so that some of those left are lost."""


def check_run(context: dg.AssetExecutionContext) -> None:
    """Raise `dagster.Failure` where a run, or the backfill that it belongs to, would not make what it counts for."""
    check_range(context.run.tags, context.partition_key_range, context.asset_key)
    backfill = context.instance.get_backfill(context.run.tags.get("dagster/backfill", ""))
    partitions = context.assets_def.partitions_def
    # Only a backfill of a job has names. One dimension is launched in order, so that nothing is lost.
    if backfill and backfill.partition_names and isinstance(partitions, dg.MultiPartitionsDefinition):
        chosen = partitions.subset_with_partition_keys(backfill.partition_names)
        check_ranges(len(chosen.get_partition_key_ranges(partitions)), context.asset_key)


def check_range(tags: Mapping[str, str], keys: dg.PartitionKeyRange, asset: dg.AssetKey) -> None:
    """Raise `dagster.Failure` where the tags of a run name another range than the `keys` that Dagster gives it.

    A tag for a single partition, or for a dimension of it, wins over the range.
    """
    tagged, given = [tags.get(tag, "") for tag in RANGE_TAGS], [str(keys.start), str(keys.end)]
    if any(tagged) and tagged != given:
        message = (
            f"The tags of this run name the partitions {'...'.join(tagged)}, but Dagster gives it {'...'.join(given)}, "
            f"so nothing was done. {_advice(asset)}"
        )
        raise dg.Failure(message, allow_retries=False)


def check_ranges(ranges: int, asset: dg.AssetKey) -> None:
    """Raise `dagster.Failure` where a job's backfill has more ranges than Dagster launches."""
    if ranges > MOST_RANGES:
        message = (
            f"The backfill of this run has {ranges} ranges of partitions. Of a job, Dagster launches {MOST_RANGES}, "
            f"leaves out others and reports that all are done, so nothing was done. {_advice(asset)}"
        )
        raise dg.Failure(message, allow_retries=False)


def _advice(asset: dg.AssetKey) -> str:
    return f"Materialize them from the page of the asset (Assets > {' > '.join(asset.path)}), not from that of a job."
