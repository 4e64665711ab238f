"""Runs that Dagster gives other partitions than those that they count for are refused."""

from collections.abc import Mapping

import dagster as dg
import pytest

from idr_assets.orchestration import run_range
from idr_assets.orchestration.automation.missing import stale_planes
from idr_assets.orchestration.partitions import timepoint_partitions, window_partitions
from idr_assets.orchestration.run_range import MOST_RANGES, check_range, check_ranges
from idr_assets.project import find_image
from idr_assets_tests.support.small_image import FIELDS, RANGE, Segmented, small_image

LABELS = dg.AssetKey(["image", "plane_labels"])
CONTRADICTION = {"dagster/partition/t": "2", "dagster/partition/z": "09"}
"""What a backfill of Dagster copied onto the runs of a job."""


def tags(first: str, last: str) -> dict[str, str]:
    return dict(zip(RANGE, (first, last), strict=True))


@pytest.mark.parametrize("given", [("1|09", "1|09"), ("1|09", "2|09"), ("2|10", "2|10")])
def test_a_range_that_differs_from_the_tags_is_refused(given: tuple[str, str]) -> None:
    named = r"name the partitions 1\|09\.\.\.2\|10, but Dagster gives it .*Assets > image > plane_labels"
    with pytest.raises(dg.Failure, match=named):
        check_range(tags("1|09", "2|10"), dg.PartitionKeyRange(*given), LABELS)


@pytest.mark.parametrize("told", [tags("1|09", "2|10"), {"dagster/partition": "1|09"}, {}])
def test_a_range_that_no_tag_contradicts_is_taken(told: Mapping[str, str]) -> None:
    check_range(told, dg.PartitionKeyRange("1|09", "2|10"), LABELS)


def test_more_ranges_than_dagster_launches_are_refused() -> None:
    check_ranges(MOST_RANGES, LABELS)
    with pytest.raises(dg.Failure, match=r"has 26 ranges of partitions.*Assets > image > plane_labels"):
        check_ranges(MOST_RANGES + 1, LABELS)


def test_one_partition_is_launched_by_a_range_of_one_and_no_tag_beside() -> None:
    image = small_image()
    assert window_partitions(image).get_tags_for_partition_key("1|09") == tags("1|09", "1|09")
    assert timepoint_partitions(image).get_tags_for_partition_key("1") == tags("1", "1")


def run(segmented: Segmented, job: str, key: str | None = None, **told: str) -> tuple[list[str], str]:
    """Run a job; give which partitions were planned, and why it failed, or ''."""
    found = segmented.definitions.resolve_job_def(job).execute_in_process(
        instance=segmented.instance, partition_key=key, tags=told, raise_on_error=False
    )
    failures = found.filter_events(lambda event: event.is_step_failure)
    events = (entry.dagster_event for entry in segmented.instance.all_logs(found.run_id) if entry.dagster_event)
    planned = [event.partition for event in events if event.is_asset_materialization_planned and event.partition]
    return planned, "".join(event.step_failure_data.error_display_string for event in failures)


def test_a_job_makes_one_partition_plans_no_other_and_refuses_what_contradicts_it(fresh: Segmented) -> None:
    assert run(fresh, "segment_image", "1|09") == (["1|09"], "")
    assert run(fresh, "measure_image", "1") == (["1"], "")
    _, reason = run(fresh, "segment_image", **CONTRADICTION)
    assert "name the partitions 1|09...2|10, but Dagster gives it 2|09...2|09" in reason
    assert "> objects)" in run(fresh, "measure_image", **{"dagster/partition/t": "2"})[1]
    assert fresh.materialized() == {"1|09"}


def test_a_run_of_a_backfill_of_which_dagster_would_lose_ranges_is_refused(
    fresh: Segmented, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill

    state, names = BulkActionStatus.REQUESTED, ["1|09", "2|10"]
    chosen = PartitionBackfill(
        "backfill", state, from_failure=False, tags={}, backfill_timestamp=0.0, partition_names=names
    )
    fresh.instance.add_backfill(chosen)
    monkeypatch.setattr(run_range, "MOST_RANGES", 1)
    told = {"dagster/backfill": "backfill"} | tags("1|09", "1|09")
    assert "has 2 ranges of partitions. For a job, Dagster launches 1" in run(fresh, "segment_image", **told)[1]
    assert fresh.materialized() == set()


def run_after(fresh: Segmented, asset: str, told: Mapping[str, str], **changed: str) -> str:
    """Create a run of an asset, change the YAML, and let the run go on as a queue does; give why it failed, or ''."""
    from dagster._core.definitions.job_base import InMemoryJob
    from dagster._core.execution.api import execute_run

    def job() -> dg.JobDefinition:
        return fresh.definitions.resolve_implicit_global_asset_job_def().get_subset(asset_selection=keys)

    keys = frozenset({fresh.project.key(asset)})
    waiting = fresh.instance.create_run_for_job(job(), tags=told, asset_selection=keys)
    fresh.project.write(**FIELDS | changed)
    found = execute_run(InMemoryJob(job()), waiting, fresh.instance)
    failures = [event for event in found.all_events if event.is_step_failure]
    return "".join(event.step_failure_data.error_display_string for event in failures)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"window": "{t: [1, 1], z: [9, 10]}"}, "t 2 is not in the window of the YAML as it is now (t 1 to 1)"),
        ({"window": "{t: [1, 2], z: [3, 9]}"}, "z 10 is not in the window of the YAML as it is now (z 03 to 09)"),
        ({"shape": "[12, 2, 12, 40, 36]"}, "t 1 is not in the window of the YAML as it is now (t 01 to 02)"),
    ],
)
def test_a_run_that_waited_makes_nothing_that_the_yaml_says_no_more(
    fresh: Segmented, changed: dict[str, str], told: str
) -> None:
    assert told in run_after(fresh, "plane_labels", tags("1|09", "2|10"), **changed)
    assert not (fresh.project.root / "data/image.ome.zarr").exists()


def test_a_run_that_waited_measures_no_timepoint_that_the_yaml_says_no_more(fresh: Segmented) -> None:
    assert fresh.run("plane_labels", "1|09", "2|10") == ""
    narrowed = run_after(fresh, "objects", tags("1", "2"), window="{t: [1, 1], z: [9, 10]}")
    assert "Nonexistent partition keys:" in narrowed  # Dagster's own check comes first
    assert not (fresh.project.root / "data/image/objects").exists()


def test_a_run_that_waited_makes_planes_by_the_recipe_of_now_and_says_so(fresh: Segmented) -> None:
    assert run_after(fresh, "plane_labels", tags("1|09", "2|10"), segmentation="{parameters: {sigma: 2}}") == ""
    assert '"parameters": {"sigma": 2}' in fresh.metadata("plane_labels", "1|09")["segmentation"]
    assert stale_planes(fresh.instance, find_image(fresh.definitions, "image")[0]) == set()


def test_values_are_not_loaded_for_a_run_that_would_be_given_others(segmented: Segmented) -> None:
    @dg.asset(ins={"labels": dg.AssetIn(LABELS)}, partitions_def=window_partitions(small_image()))
    def after(labels: object) -> None:
        assert labels is not None

    definitions = dg.Definitions.merge(segmented.definitions, dg.Definitions([after]))
    job = definitions.resolve_implicit_global_asset_job_def()
    for told, succeeds in ((CONTRADICTION, False), ({}, True)):
        found = job.execute_in_process(
            instance=segmented.instance,
            asset_selection=[after.key],
            tags=tags("1|09", "1|10") | told,
            raise_on_error=False,
        )
        assert found.success == succeeds
