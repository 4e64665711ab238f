"""The project under `dagster dev`: what runs by itself does, and the UI shows as stale what is."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from idr_assets_tests.dagster_home import DagsterHome, dagster_home, wait_until
from idr_assets_tests.orchestration.small_image import PARTITIONS, write_project
from idr_assets_tests.web_ui import ask, serving

pytestmark = pytest.mark.timeout(600)

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


AUTOMATION = "{schedule: true, cron: '* * * * *', refresh: true}"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[DagsterHome]:
    """Give an instance and a project with a recipe of its own, of which nothing was run."""
    segmentation = "{function: project.own.bright, parameters: {than: 600}}"
    project = write_project(tmp_path / "project", segmentation=segmentation, automation=AUTOMATION)
    (project.package / "own.py").write_text(RECIPE)
    project.write_definitions()
    (tmp_path / "instance").mkdir()
    with dagster_home(tmp_path / "instance", project.root) as home:
        (project.root / "data").rename(home.data)
        yield home


def done(home: DagsterHome, asset: str) -> set[str | None]:
    """Give the partitions of an asset that were materialized, None for one that has none."""
    with home.instance as instance:
        filtered = dg.AssetRecordsFilter(asset_key=dg.AssetKey(["image", asset]))
        return {record.partition_key for record in instance.fetch_materializations(filtered, limit=100).records}


def ended(home: DagsterHome) -> list[str]:
    """Give how the runs of labels ended, the first first; nothing while one is under way."""
    with home.instance as instance:
        runs = [
            run for run in instance.get_runs() if dg.AssetKey(["image", "plane_labels"]) in (run.asset_selection or ())
        ]
    return [run.status.value for run in reversed(runs)] if all(run.is_finished for run in runs) else []


def is_drawn(home: DagsterHome) -> bool:
    """Tell whether both figures were drawn after the last labels."""
    with home.instance as instance:
        keys = (dg.AssetKey(["image", name]) for name in ("plane_labels", "montage", "plane_browser"))
        times = [event.timestamp if event else 0 for event in map(instance.get_latest_materialization_event, keys)]
    return times[0] < min(times[1:])


def stale(ui: str) -> dict[str, str]:
    """Give what the UI shows of each asset, of `plane_labels` by partition."""
    ask(ui, RELOAD, location="project.definitions")
    labels, *others = ({"path": ["image", name]} for name in ("plane_labels", "source_image", "montage"))
    found = ask(ui, STALE, labels=[labels], others=others, partitions=PARTITIONS)
    by_partition = dict(zip(PARTITIONS, found["labels"][0]["staleStatusByPartition"], strict=True))
    return by_partition | {node["assetKey"]["path"][1]: node["staleStatus"] for node in found["others"]}


def test_missing_planes_are_made_on_a_schedule_then_the_figures_and_labels_go_stale(home: DagsterHome) -> None:
    chunk = home.data / "source.zarr/0/2/0/10/0/0"
    pixels = chunk.read_bytes()
    chunk.unlink()
    assert home.run("dagster asset materialize -m project.definitions --select image/source_image")[0] == 0
    with serving(home, "dagster dev -m project.definitions") as ui:
        wait_until(lambda: ended(home) == ["FAILURE"])
        assert done(home, "plane_labels") == set(PARTITIONS) - {"2|10"}
        chunk.write_bytes(pixels)
        wait_until(lambda: ended(home) == ["FAILURE", "SUCCESS"])
        assert done(home, "plane_labels") == set(PARTITIONS)
        wait_until(lambda: is_drawn(home))
        check_staleness(ui, home)


def check_staleness(ui: str, home: DagsterHome) -> None:
    fresh = dict.fromkeys(("source_image", "montage", *PARTITIONS), "FRESH")
    stale_labels = fresh | dict.fromkeys(PARTITIONS, "STALE")
    own, document = home.project / "project/own.py", home.data / "source.zarr/0/.zarray"
    yaml = home.project / "project/defs/image/defs.yaml"
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
    assert home.run("dagster asset materialize -m project.definitions --select image/source_image")[0] == 0
    assert stale(ui) == stale_labels
