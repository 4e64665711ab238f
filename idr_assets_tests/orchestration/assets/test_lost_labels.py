"""Labels that a run removes, or could not store: not those of another run, and no record tells of what is gone."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import dagster as dg
import pytest

from idr_assets.imaging.planes import Plane
from idr_assets.orchestration.assets.plane_metadata import read_summaries
from idr_assets.orchestration.assets.source_watch import SourceWatch
from idr_assets.orchestration.source_version import find_last_seen
from idr_assets_tests.support.dagster_home import project_instance
from idr_assets_tests.support.damage import damage_writes
from idr_assets_tests.support.small_image import Segmented, write_project

KEPT, REMOVED = Plane(1, 0, 9), Plane(1, 1, 9)


@pytest.fixture
def done(tmp_path: Path) -> Iterator[Segmented]:
    """Give a project of which a run made the partition 1|09."""
    with project_instance(tmp_path / "home") as instance:
        done = Segmented(write_project(tmp_path / "project"), instance)
        assert done.run("plane_labels", "1|09") == ""
        yield done


def test_labels_of_another_run_stay_where_a_run_distrusts_its_own(done: Segmented) -> None:
    image = done.project.load_image()
    (record,) = done.instance.fetch_materializations(done.project.key("plane_labels"), limit=1).records
    assert record.asset_materialization
    kept, removed = read_summaries(record.asset_materialization.metadata, [KEPT, REMOVED])
    started_with = find_last_seen(done.instance, image)
    assert started_with
    watch = SourceWatch(image, started_with)
    watch.replaced = True
    overwritten = replace(kept, checksum="of another run")
    assert len(watch.distrust([overwritten, removed], [], last=True)) == 2
    output = image.open_output()
    assert output.read(KEPT) is not None
    assert output.read(REMOVED) is None


def test_a_plane_that_a_run_could_not_store_has_no_record_of_an_earlier_run(
    done: Segmented, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = dg.AssetKey(["image", "plane_labels"])
    damage_writes(monkeypatch, KEPT, times=2)
    assert "NotAsWrittenError" in done.run("plane_labels", "1|09")
    assert done.instance.get_materialized_partitions(key) == set()
