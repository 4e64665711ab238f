"""The project under `dagster dev`: what is launched in the browser or by itself runs, and what is stale shows as such.

The window is 2 x 2; its `plane_labels` are made by a recipe with one parameter, `than`.
"""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import dagster as dg
import pytest
from playwright.sync_api import Page, expect

from idr_assets.orchestration.automation import FIGURES, MEASURES
from idr_assets_tests.dagster_home import DagsterHome, dagster_home, wait_until
from idr_assets_tests.image_project import ImageProject
from idr_assets_tests.orchestration.small_image import PARTITIONS, Segmented, write_project
from idr_assets_tests.web_ui import ask, browsing, launch_window, run_again, serving, switch_on

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

RECIPE = """
from idr_assets.imaging.segmentation import per_plane, versioned

@versioned("1")
@per_plane
def bright(plane, *, than):
    return (plane > than).astype(int)
"""

STALE = """
query staleness($labels: [AssetKeyInput!], $others: [AssetKeyInput!], $partitions: [String!]!) {
  labels: assetNodes(assetKeys: $labels) { staleStatusByPartition(partitions: $partitions) }
  others: assetNodes(assetKeys: $others) { assetKey { path } staleStatus }
}
"""

RELOAD = """
mutation ($location: String!) { reloadRepositoryLocation(repositoryLocationName: $location) { __typename } }
"""

START = """
mutation ($location: String!, $sensor: String!) {
  startSensor(sensorSelector: {
    repositoryLocationName: $location, repositoryName: "__repository__", sensorName: $sensor
  }) { __typename }
}
"""

STARTED = {"__typename": "Sensor"}

AUTOMATION = "{cron: '* * * * *', refresh: true, watch_seconds: 1}"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[DagsterHome]:
    """Give an instance and a project with a recipe of its own, of which no plane is segmented."""
    segmentation = "{function: project.own.bright, parameters: {than: 600}}"
    project = write_project(tmp_path / "project", segmentation=segmentation, automation=AUTOMATION)
    (project.package / "own.py").write_text(RECIPE)
    project.write_definitions()
    (tmp_path / "instance").mkdir()
    with dagster_home(tmp_path / "instance", project.root) as home:
        (project.root / "data").rename(home.data)
        yield home


def look(home: DagsterHome) -> None:
    """Materialize `source_image`, which notes the fingerprint; in this process, so not beside a browser's loop."""
    with home.instance as instance, pytest.MonkeyPatch.context() as patch:
        patch.setenv("IDR_ASSETS_DATA", str(home.data))
        assert Segmented(ImageProject(home.project), instance).run("source_image") == ""


def done(home: DagsterHome, asset: str) -> set[str | None]:
    """Give the partitions of an asset that were materialized, None for one that has none."""
    with home.instance as instance:
        filtered = dg.AssetRecordsFilter(asset_key=dg.AssetKey(["image", asset]))
        return {record.partition_key for record in instance.fetch_materializations(filtered, limit=100).records}


def runs_of_labels(home: DagsterHome) -> list[dg.DagsterRun]:
    """Give the runs of labels, the first first."""
    plane_labels = dg.AssetKey(["image", "plane_labels"])
    with home.instance as instance:
        return [run for run in reversed(instance.get_runs()) if plane_labels in (run.asset_selection or ())]


def ended(home: DagsterHome) -> list[str]:
    """Give how the runs of labels ended, the first first; nothing while one is under way."""
    runs = runs_of_labels(home)
    return [run.status.value for run in runs] if all(run.is_finished for run in runs) else []


def runs_of_a_changed_image(home: DagsterHome) -> list[str]:
    """Give the states of the runs that the sensor `watch_image` requested."""
    with home.instance as instance:
        filtered = dg.RunsFilter(tags={"dagster/sensor_name": "watch_image"})
        return [run.status.value for run in instance.get_runs(filtered)]


def is_drawn(home: DagsterHome) -> bool:
    """Tell whether both figures were drawn after the last labels."""
    with home.instance as instance:
        keys = (dg.AssetKey(["image", name]) for name in ("plane_labels", *FIGURES))
        times = [event.timestamp if event else 0 for event in map(instance.get_latest_materialization_event, keys)]
    return times[0] < min(times[1:])


def drawings(home: DagsterHome, figure: str) -> list[int]:
    """Count how often a figure was drawn after labels changed, before they changed again."""
    with home.instance as instance:
        events = sorted(
            (record.storage_id, name)
            for name in ("plane_labels", figure)
            for record in instance.fetch_materializations(dg.AssetKey(["image", name]), limit=100).records
        )
    return [len(list(group)) for name, group in groupby(name for _, name in events) if name == figure]


def stale(ui: str) -> dict[str, str]:
    """Give what the UI shows of each asset, of `plane_labels` by partition."""
    ask(ui, RELOAD, location="project.definitions")
    labels, *others = ({"path": ["image", name]} for name in ("plane_labels", "source_image", "montage"))
    found = ask(ui, STALE, labels=[labels], others=others, partitions=PARTITIONS)
    by_partition = dict(zip(PARTITIONS, found["labels"][0]["staleStatusByPartition"], strict=True))
    return by_partition | {node["assetKey"]["path"][1]: node["staleStatus"] for node in found["others"]}


def test_planes_are_made_and_made_again_in_the_browser_and_go_stale(home: DagsterHome, chromium: str) -> None:
    with serving(home, "dagster dev -m project.definitions") as ui:
        with browsing(ui, chromium) as page:
            make_planes(page, home)
            check_stale_mark(page, home)
        check_staleness(ui, home)


def make_planes(page: Page, home: DagsterHome) -> None:
    """Make the window, of which a plane of each timepoint fails; then each again, in another way."""
    chunks = [home.data / f"source.zarr/0/{t}/0/10/0/0" for t in (1, 2)]
    pixels = [chunk.read_bytes() for chunk in chunks]
    for chunk in chunks:
        chunk.unlink()
    launch_window(page)
    wait_until(lambda: ended(home) == ["FAILURE", "FAILURE"])
    assert done(home, "plane_labels") == {"1|09", "2|09"}
    wait_until(lambda: is_drawn(home))
    assert [drawings(home, figure) for figure in FIGURES] == [[1]] * len(FIGURES)

    for chunk, plane in zip(chunks, pixels, strict=True):
        chunk.write_bytes(plane)
    launch_window(page, only="Backfill only failed and missing")
    wait_until(lambda: ended(home)[2:] == ["SUCCESS"])
    assert done(home, "plane_labels") == set(PARTITIONS)
    wait_until(lambda: is_drawn(home))
    assert [drawings(home, figure) for figure in FIGURES] == [[1, 1]] * len(FIGURES)

    runs = runs_of_labels(home)
    run_again(page, runs[0].run_id, from_failure=True)
    wait_until(lambda: ended(home)[3:] == ["SUCCESS"])
    for chunk in chunks:
        chunk.unlink()
    run_again(page, runs[2].run_id, from_failure=False)
    wait_until(lambda: ended(home)[4:] == ["FAILURE"])
    for chunk, plane in zip(chunks, pixels, strict=True):
        chunk.write_bytes(plane)
    switch_on(page, "missing_image")
    wait_until(lambda: ended(home)[5:] == ["SUCCESS"])
    page.goto("/locations/project.definitions/schedules/missing_image")
    expect(page.get_by_text("1 run requested").first).to_be_visible()
    wait_until(lambda: is_drawn(home))


def check_staleness(ui: str, home: DagsterHome) -> None:
    fresh = dict.fromkeys(("source_image", "montage", *PARTITIONS), "FRESH")
    stale_labels = fresh | dict.fromkeys(PARTITIONS, "STALE")
    own, document = home.project / "project/own.py", home.data / "source.zarr/0/.zarray"
    yaml = home.project / "project/defs/image/defs.yaml"
    look(home)  # not before the labels were made
    assert stale(ui) == fresh
    own.write_text(RECIPE.replace("(plane > than).astype(int)", "(plane > than).astype(\n        int\n    )"))
    assert stale(ui) == fresh

    text = yaml.read_text()
    yaml.write_text(text.replace("than: 600", "than: 900"))
    assert stale(ui) == stale_labels
    yaml.write_text(text)
    own.write_text(RECIPE.replace('"1"', '"2"'))
    assert stale(ui) == stale_labels
    own.write_text(RECIPE)
    assert stale(ui) == fresh

    document.write_text(document.read_text().replace('"clevel": 5', '"clevel": 4'))
    look(home)
    assert stale(ui) == stale_labels

    assert ask(ui, START, location="project.definitions", sensor="watch_image")["startSensor"] == STARTED
    document.write_text(document.read_text().replace('"clevel": 4', '"clevel": 3'))
    wait_until(lambda: runs_of_a_changed_image(home) == ["SUCCESS"])
    assert stale(ui) == fresh


def check_stale_mark(page: Page, home: DagsterHome) -> None:
    """Change a parameter, reload in the UI, and find the mark on the page of a plane."""
    plane, mark = "/assets/image/plane_labels?view=partitions&partition=2%7C10", page.get_by_text("Unsynced (1)")
    yaml = ImageProject(home.project).yaml
    page.goto(plane)
    expect(page.get_by_text("Latest materialization")).to_be_visible()
    expect(mark).to_be_hidden()
    text = yaml.read_text()
    yaml.write_text(text.replace("than: 600", "than: 900"))
    page.goto("/locations/project.definitions/asset-groups/image/lineage")
    for box in ("source_image", "plane_labels", *FIGURES, *MEASURES):
        expect(page.get_by_text(box, exact=True)).to_be_visible()
    page.get_by_role("button", name="Reload definitions").click()
    expect(page.get_by_text("Definitions reloaded")).to_be_visible()
    page.goto(plane)
    expect(mark).to_be_visible()
    yaml.write_text(text)
