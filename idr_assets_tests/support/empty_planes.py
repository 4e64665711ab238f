"""An asset of 120 planes that does no work, with all that an event log stores of one: metadata, tags and checks."""

import warnings
from collections.abc import Callable, Iterator
from multiprocessing.process import BaseProcess
from pathlib import Path

import dagster as dg

from idr_assets_tests.support.forked import fork

ALL = ("0|00", "5|19")
SOME = ("1|03", "2|08")
RANGE = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")

PLANES = dg.MultiPartitionsDefinition(
    {
        "t": dg.StaticPartitionsDefinition([str(t) for t in range(6)]),
        "z": dg.StaticPartitionsDefinition([f"{z:02}" for z in range(20)]),
    }
)

warnings.filterwarnings("ignore", category=dg.BetaWarning, message=".*backfill_policy")


@dg.asset(
    partitions_def=PLANES,
    backfill_policy=dg.BackfillPolicy.single_run(),
    check_specs=[dg.AssetCheckSpec("stored", asset="planes"), dg.AssetCheckSpec("usable", asset="planes")],
    code_version="1",
)
def planes(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
    """Tell of every plane of the run."""
    for key in context.partition_keys:
        context.add_asset_metadata({"objects": int(key[-2:])}, partition_key=key)
    checks = [dg.AssetCheckResult(check_name=name, passed=name == "stored") for name in ("stored", "usable")]
    yield dg.MaterializeResult(tags={"colour": "green"}, check_results=checks)


@dg.asset(deps=[planes], code_version="1")
def figure() -> None:
    """Come after the planes."""


defs = dg.Definitions(assets=[planes, figure], executor=dg.in_process_executor)


def run(instance: dg.DagsterInstance, first: str, last: str) -> bool:
    """Run both assets over a rectangle of planes; tell whether the run succeeded."""
    job = defs.resolve_implicit_global_asset_job_def()
    tags = dict(zip(RANGE, (first, last), strict=True))
    return job.execute_in_process(instance=instance, tags=tags, raise_on_error=False).success


def in_child(home: Path, first: str, last: str, before: Callable[[], None] | None = None) -> BaseProcess:
    """Start a run on the instance of a folder in a process of its own, which calls `before` first."""
    return fork(_run_here, home, first, last, before)


def _run_here(home: Path, first: str, last: str, before: Callable[[], None] | None) -> None:
    if before:
        before()
    with dg.DagsterInstance.from_config(str(home)) as instance:
        assert run(instance, first, last)
