"""What happens to planes, and what an instance answers when the UI asks which are done, failed or in progress."""

from collections.abc import Callable

import dagster as dg
from dagster._core.loader import LoadingContextForTest
from dagster._core.storage.partition_status_cache import AssetStatusCacheValue

from idr_assets.orchestration.event_log.status import PartitionStatus
from idr_assets_tests.support.empty_planes import ALL, PLANES, RANGE, SOME, defs, planes, run

FAILED, AGAIN, BEGUN = ("1|05", "3|05"), ("1|05", "1|06"), ("0|00", "1|03")
NARROWER = dg.MultiPartitionsDefinition(
    {
        "t": dg.StaticPartitionsDefinition(["1", "2"]),
        "z": dg.StaticPartitionsDefinition([f"{z:02}" for z in range(5, 20)]),
    }
)


@dg.asset(key=planes.key, partitions_def=PLANES, backfill_policy=dg.BackfillPolicy.single_run())
def failing(context: dg.AssetExecutionContext) -> None:
    """Do one partition, then fail, as a run in which all but one fail."""
    context.log_event(dg.AssetMaterialization(context.asset_key, partition="2|05"))
    raise dg.Failure


def status(instance: dg.DagsterInstance, of: dg.PartitionsDefinition = PLANES) -> AssetStatusCacheValue | None:
    """Ask as the UI does."""
    context = LoadingContextForTest(instance)
    return instance.event_log_storage.get_asset_status_cache_values([(planes.key, of)], context)[0]


def from_nothing(instance: dg.DagsterInstance, of: dg.PartitionsDefinition = PLANES) -> AssetStatusCacheValue | None:
    """Ask as the UI does the first time."""
    instance.event_log_storage.wipe_asset_cached_status(planes.key)
    return status(instance, of)


def fail(instance: dg.DagsterInstance) -> None:
    assert not dg.materialize([failing], instance=instance, tags=_range(FAILED), raise_on_error=False).success


def begin(instance: dg.DagsterInstance) -> None:
    instance.create_run_for_job(defs.resolve_implicit_global_asset_job_def(), tags=_range(BEGUN))


def strange(instance: dg.DagsterInstance) -> None:
    for key in ("1", "1|", "1|03|04", "7|03", "03|1"):
        instance.report_runless_asset_event(dg.AssetMaterialization(planes.key, partition=key))


def wipe(instance: dg.DagsterInstance) -> None:
    instance.wipe_assets([planes.key])
    run(instance, *AGAIN)
    run(instance, "2|05", "2|06")


def delete(instance: dg.DagsterInstance) -> None:
    """Delete the last run: what it told goes, and the last of what is left is what the asset's row keeps."""
    instance.delete_run(instance.get_runs(limit=1)[0].run_id)
    left = instance.fetch_materializations(planes.key, limit=1).records
    assert instance.get_latest_materialization_event(planes.key) == left[0].event_log_entry


def _range(of: tuple[str, str]) -> dict[str, str]:
    return dict(zip(RANGE, of, strict=True))


CHANGES: list[tuple[Callable[[dg.DagsterInstance], object], tuple[int, int, int]]] = [
    (lambda instance: run(instance, *SOME), (12, 0, 0)),
    (fail, (12, 2, 0)),
    (fail, (12, 2, 0)),
    (lambda instance: run(instance, *AGAIN), (12, 1, 0)),
    (begin, (12, 1, 8)),
    (delete, (12, 1, 0)),
    (begin, (12, 1, 8)),
    (strange, (12, 1, 8)),
    (lambda instance: run(instance, *ALL), (120, 0, 0)),
    (wipe, (4, 0, 0)),
    (delete, (2, 0, 0)),
    (lambda instance: run(instance, "1|06", "1|07"), (3, 0, 0)),
    (delete, (1, 0, 0)),  # what an older run told of 1|06 is not of the output any more
    (lambda instance: run(instance, *FAILED), (3, 0, 0)),
    (lambda instance: run(instance, "3|07", "3|07"), (4, 0, 0)),
    (fail, (4, 2, 0)),
    (delete, (1, 0, 0)),  # nor is what an older run told of planes that a failed one may have stored
]
"""What happens to the planes, and how many are done, failed and in progress after it."""


def counts(value: AssetStatusCacheValue | None) -> tuple[int, ...]:
    """Count the partitions that are done, failed and in progress."""
    assert value
    done = value.deserialize_materialized_partition_subsets(PLANES)
    failed = value.deserialize_failed_partition_subsets(PLANES)
    return len(done), len(failed), len(value.deserialize_in_progress_partition_subsets(PLANES))


def assert_same_status(ours: dg.DagsterInstance, own: dg.DagsterInstance) -> None:
    """Change the planes and compare, after each change, what two storages of one database answer."""
    storages = ours.event_log_storage, own.event_log_storage
    assert [isinstance(it, PartitionStatus) for it in storages] == [True, False]
    for change, expected in CHANGES:
        change(ours)
        added = status(ours)
        assert counts(added) == expected
        kept = own.get_asset_records([planes.key])[0].asset_entry.cached_status
        assert kept == added
        assert from_nothing(ours) == from_nothing(own)
        assert from_nothing(ours, NARROWER) == from_nothing(own, NARROWER)
        assert status(ours) == from_nothing(own)
