"""Which partitions are done, failed or in progress: what Dagster's own storage tells of the same files."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from idr_assets.orchestration.event_log.status import PlainMultiPartitions
from idr_assets_tests.support.dagster_home import ROOT
from idr_assets_tests.support.empty_planes import SOME, planes, run
from idr_assets_tests.support.planes_status import CHANGES, assert_same_status, counts, status


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Give the folder of an instance that two files set up: the project's, and one with Dagster's own storage."""
    shutil.copy(ROOT / ".dagster_home/dagster.yaml", tmp_path)
    (tmp_path / "own.yaml").write_text("telemetry: {enabled: false}\n")
    return tmp_path


@pytest.fixture
def ours(home: Path) -> Iterator[dg.DagsterInstance]:
    """Open the instance with the project's settings."""
    with dg.DagsterInstance.from_config(str(home)) as instance:
        yield instance


@pytest.fixture
def own(home: Path, ours: dg.DagsterInstance) -> Iterator[dg.DagsterInstance]:  # noqa: ARG001  ours makes the files
    """Open the instance with Dagster's own storage."""
    with dg.DagsterInstance.from_config(str(home), "own.yaml") as instance:
        yield instance


def test_status_is_that_of_dagsters_own_storage(ours: dg.DagsterInstance, own: dg.DagsterInstance) -> None:
    assert_same_status(ours, own)


def test_events_that_are_found_are_those_of_dagsters_own_storage(
    ours: dg.DagsterInstance, own: dg.DagsterInstance
) -> None:
    seen = set()
    for change, _ in CHANGES:
        change(ours)
        last = ours.event_log_storage.get_maximum_record_id()
        assert last
        for after in (None, 0, last // 2, last - 3, last):
            found, expected = (
                it.event_log_storage.get_latest_asset_partition_materialization_attempts_without_materializations(
                    planes.key, after
                )
                for it in (ours, own)
            )
            assert found == expected
            seen.add(len(found))
            for cursors in ({"before_cursor": after}, {"after_cursor": after}):
                left, expected_left = (it.get_materialized_partitions(planes.key, **cursors) for it in (ours, own))
                assert left == expected_left
    assert len(seen) > 3


def test_the_ui_waits_for_no_object_of_each_key(ours: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(ours, *SOME)
    monkeypatch.setattr(dg.MultiPartitionsDefinition, "filter_valid_partition_keys", None)
    assert counts(status(ours)) == (12, 0, 0)


def test_keys_are_those_that_dagsters_own_definition_keeps() -> None:
    axes = {name: dg.StaticPartitionsDefinition(["", *(f"{at:02}" for at in range(20))]) for name in ("t", "z")}
    keys = {f"{t:02}|{z:02}" for t in range(21) for z in range(20)} | {"", "|", "01", "01|", "|01", "01|02|03", "a|b"}
    found, expected = (
        it(axes).filter_valid_partition_keys(keys) for it in (PlainMultiPartitions, dg.MultiPartitionsDefinition)
    )
    assert found == expected
    assert len(found) == 403
    assert {type(key) for key in found} == {str}
