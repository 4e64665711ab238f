"""The project under `idr-assets ui`: what is launched in the browser or by itself runs, also of planes that failed."""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import dagster as dg
import pytest
from playwright.sync_api import Page, expect

from idr_assets.orchestration.assets.names import FIGURES, MEASURES
from idr_assets_tests.support.dagster_home import DagsterHome, dagster_home, wait_until
from idr_assets_tests.support.small_image import PARTITIONS, write_project
from idr_assets_tests.support.web_ui import ask, browsing, launch_job, launch_window, run_again, serving, switch

BACKFILL = """
mutation ($location: String!, $names: [String!]!) {
  launchPartitionBackfill(backfillParams: {
    selector: {partitionSetName: "segment_image_partition_set",
               repositorySelector: {repositoryName: "__repository__", repositoryLocationName: $location}}
    partitionNames: $names
  }) { __typename }
}
"""

DELETE = "mutation ($run: String!) { deleteRun(runId: $run) { __typename } }"

COUNTED = """
{ assetNodes(assetKeys: {path: ["image", "plane_labels"]}) { partitionStats { numMaterialized numFailed } } }
"""

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

OBJECTS, COUNTS = MEASURES
DRAWN = (*FIGURES, COUNTS)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[DagsterHome]:
    """Give an instance and a project with a window of 2 x 2, of which no plane is segmented."""
    project = write_project(tmp_path / "project", automation="{cron: '* * * * *', refresh: true}")
    project.write_definitions()
    (tmp_path / "instance").mkdir()
    with dagster_home(tmp_path / "instance", project.root) as home:
        (project.root / "data").rename(home.data)
        yield home


def done(home: DagsterHome, asset: str) -> set[str | None]:
    """Give the partitions of an asset that were materialized, None for one that has none."""
    filtered = dg.AssetRecordsFilter(asset_key=dg.AssetKey(["image", asset]))
    return {record.partition_key for record in home.instance.fetch_materializations(filtered, limit=100).records}


def runs_of_labels(home: DagsterHome) -> list[dg.DagsterRun]:
    """Give the runs of labels, the first first."""
    plane_labels = dg.AssetKey(["image", "plane_labels"])
    return [run for run in reversed(home.instance.get_runs()) if plane_labels in (run.asset_selection or ())]


def ended(home: DagsterHome) -> list[str]:
    """Give how the runs of labels ended, the first first; nothing while one is under way."""
    runs = runs_of_labels(home)
    return [run.status.value for run in runs] if all(run.is_finished for run in runs) else []


def is_drawn(home: DagsterHome) -> bool:
    """Tell whether all figures were drawn after the last labels."""
    instance = home.instance
    keys = (dg.AssetKey(["image", name]) for name in ("plane_labels", *DRAWN))
    times = [event.timestamp if event else 0 for event in map(instance.get_latest_materialization_event, keys)]
    return times[0] < min(times[1:])


def drawings(home: DagsterHome, figure: str) -> list[int]:
    """Count how often a figure was drawn after labels changed, before they changed again."""
    events = sorted(
        (record.storage_id, name)
        for name in ("plane_labels", figure)
        for record in home.instance.fetch_materializations(dg.AssetKey(["image", name]), limit=100).records
    )
    return [len(list(group)) for name, group in groupby(name for _, name in events) if name == figure]


def made_by_job(home: DagsterHome) -> list[list[str]]:
    """Give the partitions that each run of a job's backfill made; nothing while one is under way."""
    found = [
        run for run in home.instance.get_runs() if run.job_name == "segment_image" and "dagster/backfill" in run.tags
    ]
    records = home.instance.fetch_materializations(dg.AssetKey(["image", "plane_labels"]), limit=100).records
    made = [sorted(str(it.partition_key) for it in records if it.run_id == run.run_id) for run in found]
    return sorted(made) if all(run.status is dg.DagsterRunStatus.SUCCESS for run in found) else []


def test_planes_that_fail_are_made_again_in_the_browser_each_in_another_way(home: DagsterHome, chromium: str) -> None:
    with serving(home, "idr-assets ui -m project.definitions") as ui, browsing(ui, chromium) as page:
        make_planes(page, home)
        make_planes_by_job(page, ui, home)
        delete_runs(ui, home)


def make_planes(page: Page, home: DagsterHome) -> None:
    """Make the window, of which a plane of each timepoint fails; then each again, in another way."""
    chunks = [home.data / f"source.zarr/0/{t}/0/10/0/0" for t in (1, 2)]
    pixels = [chunk.read_bytes() for chunk in chunks]
    for chunk in chunks:
        chunk.unlink()
    launch_window(page, "image", 4, confirm=True)
    wait_until(lambda: ended(home) == ["FAILURE", "FAILURE"])
    assert done(home, "plane_labels") == {"1|09", "2|09"}
    wait_until(lambda: is_drawn(home))
    assert [drawings(home, figure) for figure in DRAWN] == [[1]] * len(DRAWN)

    for chunk, plane in zip(chunks, pixels, strict=True):
        chunk.write_bytes(plane)
    launch_window(page, "image", 4, only=2)
    wait_until(lambda: ended(home)[2:] == ["SUCCESS"])
    assert done(home, "plane_labels") == set(PARTITIONS)
    wait_until(lambda: is_drawn(home))
    assert [drawings(home, figure) for figure in DRAWN] == [[1, 1]] * len(DRAWN)
    assert done(home, OBJECTS) == {"1", "2"}

    switch(page, "sensors/refresh_image", on=False)  # each figure more is a run more
    runs = runs_of_labels(home)
    run_again(page, runs[0].run_id, from_failure=True)
    wait_until(lambda: ended(home)[3:] == ["SUCCESS"])
    (again,) = runs_of_labels(home)[3:]
    told = [entry.message for entry in home.instance.all_logs(again.run_id)]
    assert any("2 of 2 planes done" in message for message in told)  # of one partition; the other was done
    for chunk in chunks:
        chunk.unlink()
    run_again(page, runs[2].run_id, from_failure=False)
    wait_until(lambda: ended(home)[4:] == ["FAILURE"])
    for chunk, plane in zip(chunks, pixels, strict=True):
        chunk.write_bytes(plane)
    switch(page, "schedules/missing_image", on=True)
    wait_until(lambda: ended(home)[5:] == ["SUCCESS"])
    page.goto("/locations/project.definitions/schedules/missing_image")
    expect(page.get_by_text("1 run requested").first).to_be_visible()


def make_planes_by_job(page: Page, ui: str, home: DagsterHome) -> None:
    """Launch the job from its page, where each run makes its timepoint, then by GraphQL, each its plane."""
    launch_job(page, "segment_image", 4)
    wait_until(lambda: made_by_job(home) == [PARTITIONS[:2], PARTITIONS[2:]])
    launched = ask(ui, BACKFILL, location="project.definitions", names=PARTITIONS[1:3])["launchPartitionBackfill"]
    assert launched == {"__typename": "LaunchBackfillSuccess"}
    wait_until(lambda: made_by_job(home) == [PARTITIONS[:2], PARTITIONS[1:2], PARTITIONS[2:3], PARTITIONS[2:]])


def delete_runs(ui: str, home: DagsterHome) -> None:
    """Delete all runs in the UI, which then counts no plane as done."""
    counted = [ask(ui, COUNTED)["assetNodes"][0]["partitionStats"]]
    for run in home.instance.get_runs():
        ask(ui, DELETE, run=run.run_id)
    counted.append(ask(ui, COUNTED)["assetNodes"][0]["partitionStats"])
    assert counted == [{"numMaterialized": done, "numFailed": 0} for done in (4, 0)]
