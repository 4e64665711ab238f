"""What is stale shows as such in the UI, by a mark and by its GraphQL, and an image that changed is run anew.

The planes of a window of 2 x 2 are made by a recipe with one parameter, `than`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import pytest
from playwright.sync_api import Page, expect

from idr_assets.orchestration.assets.names import FIGURES, MEASURES
from idr_assets_tests.support.dagster_home import DagsterHome, dagster_home, wait_until
from idr_assets_tests.support.image_project import ImageProject
from idr_assets_tests.support.small_image import PARTITIONS, Segmented, write_project
from idr_assets_tests.support.web_ui import ask, browsing, serving, start_sensor

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

RECIPE = """
from idr_assets.imaging.segmentation.functions import per_plane, versioned

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

LOCATION = "staleness.definitions"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[DagsterHome]:
    """Give an instance and a project with a recipe of its own, of which everything is made."""
    segmentation = "{function: staleness.own.bright, parameters: {than: 600}}"
    project = write_project(tmp_path / "staleness", segmentation=segmentation, automation="{watch_seconds: 1}")
    (project.package / "own.py").write_text(RECIPE)
    project.write_definitions()
    (tmp_path / "instance").mkdir()
    with dagster_home(tmp_path / "instance", project.root) as home:
        (project.root / "data").rename(home.data)
        with in_this_process(home) as segmented:
            assert segmented.run_jobs()
        yield home


@contextmanager
def in_this_process(home: DagsterHome) -> Iterator[Segmented]:
    """Give the project and its instance, to run something of it; not beside a browser's loop."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IDR_ASSETS_DATA", str(home.data))
        yield Segmented(ImageProject(home.project), home.instance)


def look(home: DagsterHome) -> None:
    """Materialize `source_image`, which notes the fingerprint."""
    with in_this_process(home) as segmented:
        assert segmented.run("source_image") == ""


def runs_of_a_changed_image(home: DagsterHome) -> list[str]:
    """Give the states of the runs that the sensor `watch_image` requested."""
    filtered = dg.RunsFilter(tags={"dagster/sensor_name": "watch_image"})
    return [run.status.value for run in home.instance.get_runs(filtered)]


def reloaded(ui: str) -> dict[str, str]:
    """Load the definitions anew, and give what the UI then shows."""
    ask(ui, RELOAD, location=LOCATION)
    return stale(ui)


def stale(ui: str) -> dict[str, str]:
    """Give what the UI shows of each asset, of `plane_labels` by partition."""
    labels, *others = ({"path": ["image", name]} for name in ("plane_labels", "source_image", "montage"))
    found = ask(ui, STALE, labels=[labels], others=others, partitions=PARTITIONS)
    by_partition = dict(zip(PARTITIONS, found["labels"][0]["staleStatusByPartition"], strict=True))
    return by_partition | {node["assetKey"]["path"][1]: node["staleStatus"] for node in found["others"]}


def test_what_is_stale_shows_as_such_and_a_changed_image_is_made_anew(home: DagsterHome, chromium: str) -> None:
    fresh = dict.fromkeys(("source_image", "montage", *PARTITIONS), "FRESH")
    stale_labels = fresh | dict.fromkeys(PARTITIONS, "STALE")
    yaml = ImageProject(home.project).yaml
    text = yaml.read_text()
    with serving(home, f"idr-assets ui -m {LOCATION}") as ui:
        assert stale(ui) == fresh
        with browsing(ui, chromium) as page:
            check_stale_mark(page, yaml)
        assert stale(ui) == stale_labels
        yaml.write_text(text)
        check_staleness(ui, home, fresh, stale_labels)


def check_staleness(ui: str, home: DagsterHome, fresh: dict[str, str], stale_labels: dict[str, str]) -> None:
    """Change the version of the function, then its looks alone, then the image, once with the sensor watching."""
    own, document = home.project / "staleness/own.py", home.data / "source.zarr/0/.zarray"
    own.write_text(RECIPE.replace('"1"', '"2"'))
    assert reloaded(ui) == stale_labels
    own.write_text(RECIPE.replace("(plane > than).astype(int)", "(plane > than).astype(\n        int\n    )"))
    assert reloaded(ui) == fresh

    document.write_text(document.read_text().replace('"clevel": 5', '"clevel": 4'))
    look(home)
    assert stale(ui) == stale_labels

    start_sensor(ui, LOCATION, "watch_image")
    document.write_text(document.read_text().replace('"clevel": 4', '"clevel": 3'))
    wait_until(lambda: runs_of_a_changed_image(home) == ["SUCCESS"])
    assert stale(ui) == fresh


def check_stale_mark(page: Page, yaml: Path) -> None:
    """Change a parameter, reload in the UI, and find the mark on the page of a plane."""
    plane, mark = "/assets/image/plane_labels?view=partitions&partition=2%7C10", page.get_by_text("Unsynced (1)")
    page.goto(plane)
    expect(page.get_by_text("Latest materialization")).to_be_visible()
    expect(mark).to_be_hidden()
    yaml.write_text(yaml.read_text().replace("than: 600", "than: 900"))
    page.goto(f"/locations/{LOCATION}/asset-groups/image/lineage")
    for box in ("source_image", "plane_labels", *FIGURES, *MEASURES):
        expect(page.get_by_text(box, exact=True)).to_be_visible()
    page.get_by_role("button", name="Reload definitions").click()
    expect(page.get_by_text("Definitions reloaded")).to_be_visible()
    page.goto(plane)
    expect(mark).to_be_visible()
