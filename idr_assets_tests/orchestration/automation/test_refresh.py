"""What is drawn and measured again by itself, and when."""

from itertools import product
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from idr_assets.orchestration.assets.names import FIGURES
from idr_assets_tests.support.dagster_home import project_instance
from idr_assets_tests.support.image_project import ImageProject
from idr_assets_tests.support.small_image import PARTITIONS, RANGE, Segmented

DRAWN = {(figure, None) for figure in FIGURES}


BY_ITSELF = {"dagster/from_automation_condition": "true"}


class Refresh:
    """What is made anew, evaluated look by look."""

    def __init__(self, segmented: Segmented) -> None:
        self.segmented = segmented
        self.cursor: Any = None
        self.look()

    def look(self) -> set[tuple[str, str | None]]:
        """Evaluate the conditions, and give the assets and partitions that are requested."""
        definitions = self.segmented.definitions
        targets = definitions.resolve_sensor_def("refresh_image").asset_selection
        assert targets
        found = dg.evaluate_automation_conditions(definitions, self.segmented.instance, targets, cursor=self.cursor)
        self.cursor = found.cursor
        subsets = [(result.key, result.true_subset) for result in found.results]
        parts = [part for _, subset in subsets for part in subset.expensively_compute_asset_partitions()]
        return {(part.asset_key.path[-1], part.partition_key) for part in parts}

    def run(self, *assets: str, partitions: tuple[str, str] | None = None) -> None:
        """Make assets as the daemon does that was asked to."""
        result = self.segmented.definitions.resolve_implicit_global_asset_job_def().execute_in_process(
            instance=self.segmented.instance,
            asset_selection=[*map(self.segmented.project.key, assets)],
            tags=BY_ITSELF | dict(zip(RANGE, partitions or (), strict=False)),
        )
        assert result.success


@pytest.fixture
def refresh(fresh: Segmented) -> Refresh:
    """Give the conditions of the fresh project after their first look."""
    return Refresh(fresh)


def test_the_jobs_leave_nothing_to_be_made_anew(fresh: Segmented, refresh: Refresh) -> None:
    assert fresh.run_jobs()
    assert refresh.look() == set()
    assert refresh.look() == set()
    fresh.run("plane_labels", "1|10")
    assert refresh.look() == DRAWN | {("objects", "1")}


def test_labels_of_a_timepoint_have_all_figures_and_its_objects_made_anew(fresh: Segmented, refresh: Refresh) -> None:
    fresh.run("plane_labels", PARTITIONS[0], PARTITIONS[-1])
    assert refresh.look() == DRAWN | {("objects", "1"), ("objects", "2")}
    refresh.run(*FIGURES)
    refresh.run("objects", partitions=("1", "2"))
    assert refresh.look() == {("object_counts", None)}
    fresh.run("plane_labels", "2|09")
    assert refresh.look() == DRAWN | {("objects", "2")}


def test_objects_are_counted_once_all_labels_and_objects_are_made(fresh: Segmented, refresh: Refresh) -> None:
    fresh.run("plane_labels", "1|09")
    assert refresh.look() >= {("objects", "1")}
    refresh.run("objects", partitions=("1", "1"))
    job, tags = fresh.definitions.resolve_job_def("segment_image"), dict(zip(RANGE, PARTITIONS[2:], strict=True))
    run = fresh.instance.create_run_for_job(
        job,
        status=dg.DagsterRunStatus.STARTED,
        asset_selection=frozenset({fresh.project.key("plane_labels")}),
        tags=tags,
    )
    assert not refresh.look() & {("object_counts", None)}
    fresh.instance.report_run_canceled(run)
    fresh.run("plane_labels", "2|09")
    assert refresh.look() == DRAWN | {("objects", "2")}
    refresh.run("objects", partitions=("2", "2"))
    assert refresh.look() == {("object_counts", None)}


def test_labels_of_many_partitions_are_no_newer_than_figures_after_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DAGSTER_MAX_PARTITIONS_FOR_DA_TIMESTAMP_FETCH", raising=False)
    project = ImageProject(tmp_path / "many")
    project.write(shape="[11, 1, 10, 8, 8]")
    with project_instance(tmp_path) as instance:
        refresh = Refresh(Segmented(project, instance))
        for t, z in product(range(11), range(10)):
            label = dg.AssetMaterialization(project.key("plane_labels"), partition=f"{t:02}|{z}")
            instance.report_runless_asset_event(label)
        for figure in FIGURES:
            instance.report_runless_asset_event(dg.AssetMaterialization(project.key(figure)))
        assert refresh.look() == {("objects", f"{t:02}") for t in range(11)}


def test_labels_that_change_while_figures_are_drawn_are_drawn_too(fresh: Segmented, refresh: Refresh) -> None:
    fresh.run("plane_labels", "1|09")
    assert refresh.look() >= DRAWN
    fresh.run("plane_labels", "1|10")  # before the figures are there, and after they were read
    refresh.run(*FIGURES)
    assert refresh.look() >= DRAWN
    refresh.run(*FIGURES)
    assert not refresh.look() & DRAWN
    fresh.run(FIGURES[0])
    fresh.run("plane_labels", "1|10")
    assert refresh.look() >= DRAWN


def test_figures_that_cannot_be_drawn_are_not_asked_for_again_and_again(fresh: Segmented, refresh: Refresh) -> None:
    fresh.run("plane_labels", "1|09")
    assert refresh.look() >= DRAWN
    assert [refresh.look() & DRAWN for _ in range(2)] == [set(), set()]
