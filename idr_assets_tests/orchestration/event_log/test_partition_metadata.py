"""Metadata of many partitions at once, against Dagster's own way, one partition after the other."""

from collections.abc import Callable, Mapping
from typing import Any

import dagster as dg
import pytest

from idr_assets.orchestration.event_log.partition_metadata import add_partition_metadata
from idr_assets_tests.orchestration.conftest import SETTINGS

METADATA = {key: {"objects": number, "source": {"level": "0"}} for number, key in enumerate("abc")}
RANGE = {"dagster/asset_partition_range_start": "a", "dagster/asset_partition_range_end": "c"}

type Add = Callable[[dg.AssetExecutionContext, Mapping[str, Mapping[str, Any]]], None]


def one_by_one(context: dg.AssetExecutionContext, metadata: Mapping[str, Mapping[str, Any]]) -> None:
    for key, values in metadata.items():
        context.add_asset_metadata(values, partition_key=key)


def noted(add: Add) -> dict[str | None, Mapping[str, dg.MetadataValue]]:
    """Give the metadata of each partition that a run materialized."""

    @dg.asset(
        partitions_def=dg.StaticPartitionsDefinition(list("abcd")), backfill_policy=dg.BackfillPolicy.single_run()
    )
    def planes(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        context.add_asset_metadata({"seen": True}, partition_key="b")
        add(context, METADATA)
        return dg.MaterializeResult(metadata={"of all": 1})

    with dg.DagsterInstance.ephemeral(settings=SETTINGS) as instance:
        assert dg.materialize([planes], instance=instance, tags=RANGE).success
        records = instance.fetch_materializations(dg.AssetKey("planes"), limit=10).records
    found = [record.asset_materialization for record in records]
    return {event.partition: event.metadata for event in found if event}


@pytest.mark.filterwarnings("ignore:.*backfill_policy.*:dagster.BetaWarning")
def test_each_partition_gets_the_metadata_that_dagsters_own_way_gives_it() -> None:
    at_once = noted(add_partition_metadata)
    assert at_once.keys() == METADATA.keys()
    assert {key: values["objects"].value for key, values in at_once.items()} == {"a": 0, "b": 1, "c": 2}
    assert at_once == noted(one_by_one)
