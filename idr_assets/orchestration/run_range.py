"""Which partitions a run makes; refuse runs that would make others than they claim."""

from collections.abc import Mapping

import dagster as dg

from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.planes import Block
from idr_assets.orchestration.image import Image
from idr_assets.orchestration.partitions import RANGE_TAGS, block_of, cells_by_key, cover, key_range
from idr_assets.orchestration.rectangles import Cell
from idr_assets.orchestration.scattered import read_scattered

MOST_RANGES = 25
"""Ranges of a job's backfill over T x Z that Dagster launches at once. It takes them in any order and continues after
the last one, so some of the others are lost."""


def parse_range(image: Image, text: str) -> Block:
    """Return the planes of a partition, or of a range of them as `key_range` writes it.

    Raises
    ------
    ImageError
        If a key is not in the window, or the range ends before it starts.

    """
    first, *last = text.split("...")
    known = cells_by_key(image).keys()
    if len(last) > 1 or not {first, *last} <= known:
        message = (
            f"{text!r} is not in the window of {image.name}, so nothing was done. Write a key such as {min(known)!r}, "
            f"or a range such as {key_range(image, image.window)!r}."
        )
        raise ImageError(message)
    try:
        return block_of(image, dg.PartitionKeyRange(first, *last or [first]))
    except ValueError as error:
        raise ImageError(str(error)) from error


def check_run(context: dg.AssetExecutionContext) -> None:
    """Raise `dagster.Failure` if a run, or its backfill, would not make the partitions that it claims."""
    keys, partitions = context.partition_key_range, context.assets_def.partitions_def
    check_range(context.run.tags, keys, context.asset_key)
    if not isinstance(partitions, dg.MultiPartitionsDefinition):
        return  # Dagster itself compares timepoints, and launches backfills of one dimension in order
    check_window(partitions, keys)
    backfill = context.instance.get_backfill(context.run.tags.get("dagster/backfill", ""))
    if backfill and backfill.partition_names:  # of a job; other backfills have none
        chosen = partitions.subset_with_partition_keys(backfill.partition_names)
        check_ranges(len(chosen.get_partition_key_ranges(partitions)), context.asset_key)


def wanted_cells(context: dg.AssetExecutionContext, image: Image) -> set[Cell]:
    """Return (t, z) of the partitions that a run makes: its range, or those of it that its tags name."""
    block = block_of(image, context.partition_key_range)
    every = {(t, z) for t in block.t for z in block.z}
    some = read_scattered(context.run.tags)
    if some is None:
        return every
    if cover(image, some) != block:
        message = (
            f"The tags of this run name planes here and there, of another range than {context.partition_key_range}, so "
            f"nothing was done. Run missing planes with `idr-assets resume {image.name}`."
        )
        raise dg.Failure(message, allow_retries=False)
    context.log.info("This run makes %d of the %d partitions of its range.", len(some), len(every))
    return set(some)


def check_range(tags: Mapping[str, str], keys: dg.PartitionKeyRange, asset: dg.AssetKey) -> None:
    """Raise `dagster.Failure` if the tags of a run name another range than the `keys` that Dagster gives it.

    For Dagster, a tag with a single partition, or with one dimension of it, wins over the range.
    """
    tagged, given = [tags.get(tag, "") for tag in RANGE_TAGS], [str(keys.start), str(keys.end)]
    if any(tagged) and tagged != given:
        message = (
            f"The tags of this run name the partitions {'...'.join(tagged)}, but Dagster gives it {'...'.join(given)}, "
            f"so nothing was done. {_advice(asset)}"
        )
        raise dg.Failure(message, allow_retries=False)


def check_window(partitions: dg.MultiPartitionsDefinition, keys: dg.PartitionKeyRange) -> None:
    """Raise `dagster.Failure` if a range is not in the window: the YAML may change while a run waits."""
    for key in (keys.start, keys.end):
        for axis, index in zip(partitions.partitions_defs, key.split("|"), strict=True):
            window = axis.partitions_def.get_partition_keys()
            if index not in window:
                message = (
                    f"{axis.name} {index} is not in the window of the YAML as it is now ({axis.name} {window[0]} to "
                    f"{window[-1]}), so nothing of {keys.start}...{keys.end} was done. The YAML changed since this run "
                    "was launched: launch what is in the window, or widen `window`."
                )
                raise dg.Failure(message, allow_retries=False)


def check_ranges(ranges: int, asset: dg.AssetKey) -> None:
    """Raise `dagster.Failure` if a job's backfill has more ranges than Dagster launches."""
    if ranges > MOST_RANGES:
        message = (
            f"The backfill of this run has {ranges} ranges of partitions. For a job, Dagster launches {MOST_RANGES}, "
            f"skips others and reports that all are done, so nothing was done. {_advice(asset)}"
        )
        raise dg.Failure(message, allow_retries=False)


def _advice(asset: dg.AssetKey) -> str:
    return f"Materialize them from the page of the asset (Assets > {' > '.join(asset.path)}), not from that of a job."
