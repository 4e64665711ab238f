"""Partitions that are told while their run works: the same rows as by Dagster's own way, and each once."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import dagster as dg
import pytest

from idr_assets.orchestration import event_log as told
from idr_assets.orchestration.partitions import axis_tags
from idr_assets_tests.support.dagster_home import ROOT
from idr_assets_tests.support.empty_planes import PLANES, RANGE
from idr_assets_tests.support.event_rows import stored_rows
from idr_assets_tests.support.small_image import small_image

KEYS = ("0|18", "1|19")
CHECK = dg.AssetCheckSpec("stored", asset="planes")

pytestmark = pytest.mark.filterwarnings("ignore:.*backfill_policy.*:dagster.BetaWarning")


@contextmanager
def lines_while_storing(context: dg.AssetExecutionContext) -> Iterator[list[bool]]:
    """Write a line into the log while a batch is stored; tell of each batch whether that could be done meanwhile."""
    storage, written = context.instance.event_log_storage, list[bool]()
    store = storage.store_event_batch

    def write_and_store(events: Sequence[dg.EventLogEntry]) -> None:
        if len(events) > 1:  # the line comes here too
            line = Thread(target=context.log.info, args=["at work"], daemon=True)
            line.start()
            line.join(30)
            written.append(not line.is_alive())
        store(events)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(storage, "store_event_batch", write_and_store)
        yield written


def planes_and_figure(*, early: bool) -> Sequence[dg.AssetsDefinition]:
    """Define planes that are told early, or by Dagster itself, and an asset after them."""

    @dg.asset(partitions_def=PLANES, backfill_policy=dg.BackfillPolicy.single_run(), check_specs=[CHECK])
    def planes(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
        result = dg.MaterializeResult[None](check_results=[dg.AssetCheckResult(passed=True)], tags={"colour": "green"})
        if not early:
            for key in context.partition_keys:
                context.add_asset_metadata({"objects": 1}, partition_key=key)
            yield result
            return
        version = {"dagster/code_version": context.run.run_id, "dagster/data_version": "?"}
        events = [
            dg.AssetMaterialization("planes", partition=key, metadata={"objects": 1}, tags=version | tags)
            for key in context.partition_keys
            if (tags := axis_tags(small_image(), key) | {"colour": "green"})
        ]
        with lines_while_storing(context) as lines:
            told.tell_partitions(context, events[:3])
        assert lines == [True]
        known = context.instance.get_materialized_partitions(context.asset_key)
        assert known == {event.partition for event in events[:3]}
        told.tell_partitions(context, events[3:])
        with told.withhold_events(context):
            yield result

    @dg.asset(deps=[planes])
    def figure() -> None:
        pass

    return [planes, figure]


def rows(folder: Path, *, early: bool) -> tuple[list[str], list[str]]:
    """Run both assets; give the rows of the index without what depends on their order, and the planes told."""
    folder.mkdir()
    shutil.copy(ROOT / ".dagster_home/dagster.yaml", folder)
    with dg.DagsterInstance.from_config(str(folder)) as instance:
        tags = dict(zip(RANGE, KEYS, strict=True))
        result = dg.materialize(planes_and_figure(early=early), instance=instance, tags=tags)
        assert result.success
        again = told.read_told_partitions(instance, result.run_id, dg.AssetKey("planes"))
        partitions = sorted(str(event.partition) for event in again)
        run = instance.get_run_by_id(result.run_id)
        assert run
        assert "dagster/defer_asset_events" not in run.tags
    found = stored_rows(f"sqlite:///{folder}/history/runs/index.db")
    kept = ("dagster_event_type", "asset_key", "partition", "step_key")
    events = [str([row[name] for name in kept]) for row in found["event_logs"]]
    tagged = [str([row["asset_key"], row["key"]]) for row in found["asset_event_tags"]]
    return sorted(events) + sorted(tagged), partitions


def test_the_rows_are_those_of_dagsters_own_way_and_the_next_asset_starts(tmp_path: Path) -> None:
    early, own = rows(tmp_path / "early", early=True), rows(tmp_path / "own", early=False)
    assert early == own
    assert early[1] == ["0|18", "0|19", "1|18", "1|19"]
