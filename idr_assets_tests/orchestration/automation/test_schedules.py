"""What runs by itself, evaluated against a real instance; `test_cockpit` lets it run."""

from collections.abc import Iterator
from itertools import product, repeat
from pathlib import Path
from time import monotonic
from typing import Any

import dagster as dg
import pytest

from idr_assets.orchestration.assets.names import FIGURES
from idr_assets_tests.support.dagster_home import project_instance
from idr_assets_tests.support.image_project import ImageProject
from idr_assets_tests.support.small_image import FIELDS, PARTITIONS, RANGE, Segmented, change_image
from idr_assets_tests.support.store_server import StoreServer, hang, status

PLANE_LABELS = [dg.AssetKey(["image", "plane_labels"])]
DRAWN = {(figure, None) for figure in FIGURES}
BY_ITSELF = {"dagster/from_automation_condition": "true"}


@pytest.fixture
def on_disk(fresh: Segmented) -> Iterator[Segmented]:
    """Give the fresh project an instance on disk: a schedule gets no other."""
    (fresh.project.root / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    with dg.DagsterInstance.from_config(str(fresh.project.root)) as instance:
        yield Segmented(fresh.project, instance)


def scheduled(segmented: Segmented) -> tuple[list[Any], str]:
    """Evaluate the schedule; give the ranges that it requests, and why it skips."""
    context = dg.build_schedule_context(instance=segmented.instance)
    data = segmented.definitions.resolve_schedule_def("missing_image").evaluate_tick(context)
    requests = data.run_requests or []
    assert all(request.asset_selection == PLANE_LABELS for request in requests)
    assert len({request.run_key for request in requests}) == len(requests)
    return [tuple(request.tags[name] for name in RANGE) for request in requests], data.skip_message or ""


def looked(segmented: Segmented, cursor: str | None = None) -> Any:  # noqa: ANN401  Dagster's own
    """Evaluate the sensor that watches the image."""
    context = dg.build_sensor_context(instance=segmented.instance, cursor=cursor)
    return segmented.definitions.resolve_sensor_def("watch_image").evaluate_tick(context)


def test_the_schedule_requests_what_is_missing_or_failed_and_no_more(on_disk: Segmented) -> None:
    assert scheduled(on_disk) == ([("1|09", "2|10")], "")
    chunk = on_disk.project.root / "data/source.zarr/0/2/0/9/0/0"
    pixels = chunk.read_bytes()
    chunk.unlink()
    on_disk.run("plane_labels", *PARTITIONS[::3])
    assert scheduled(on_disk) == ([("2|09", "2|09")], "")
    chunk.write_bytes(pixels)
    on_disk.run("plane_labels", "2|09")
    assert scheduled(on_disk) == ([], "No plane of image is missing or failed.")


def test_the_schedule_requests_several_rectangles_at_once(on_disk: Segmented) -> None:
    on_disk.run("plane_labels", "1|10")
    ranges, _ = scheduled(on_disk)
    assert ranges in ([("1|09", "2|09"), ("2|10", "2|10")], [("1|09", "1|09"), ("2|09", "2|10")])


def test_while_a_run_makes_planes_nothing_is_requested(on_disk: Segmented) -> None:
    job = on_disk.definitions.resolve_job_def("segment_image")
    tags = dict(zip(RANGE, ("1|09", "1|10"), strict=True))
    run = on_disk.instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED, tags=tags)
    busy = "A run makes planes of image. The others are requested when it has ended."
    assert scheduled(on_disk) == ([], busy)
    change_image(on_disk)
    data = looked(on_disk, "before")
    assert (data.run_requests, data.skip_message, data.cursor) == ([], busy, "before")
    on_disk.instance.report_run_failed(run)
    assert scheduled(on_disk) == ([("1|09", "2|10")], "")
    assert looked(on_disk, "before").run_requests


def test_the_schedule_requests_the_planes_of_several_segmentations(on_disk: Segmented) -> None:
    on_disk.project.write(**FIELDS, segmentations="{low: {}, high: {parameters: {threshold_fraction: 0.7}}}")
    context = dg.build_schedule_context(instance=on_disk.instance)
    data = on_disk.definitions.resolve_schedule_def("missing_image").evaluate_tick(context)
    keys = {request.run_key: request.asset_selection for request in data.run_requests or []}
    assert [name for selection in keys.values() for name in selection or ()] == [
        dg.AssetKey(["image", name, "plane_labels"]) for name in ("low", "high")
    ]


def test_the_sensor_requests_the_window_once_when_the_image_changed(fresh: Segmented) -> None:
    first = looked(fresh)
    assert first.run_requests == []
    assert first.skip_message
    assert "unchanged" in first.skip_message
    change_image(fresh)
    second = looked(fresh, first.cursor)
    assert second.run_requests
    (request,) = second.run_requests
    assert tuple(request.tags[name] for name in RANGE) == (PARTITIONS[0], PARTITIONS[-1])
    assert request.asset_selection is None
    assert looked(fresh, second.cursor).run_requests == []


def test_an_image_that_changes_to_and_fro_is_requested_each_time(fresh: Segmented) -> None:
    cursor = looked(fresh).cursor
    keys: list[str | None] = []
    for level in (4, 5, 4):
        change_image(fresh, level)
        data = looked(fresh, cursor)
        (request,) = data.run_requests
        cursor, keys = data.cursor, [*keys, request.run_key]
    assert keys == [None] * 3  # Dagster takes a key for one run, for ever


def test_the_sensor_knows_the_image_of_the_last_materialization(fresh: Segmented) -> None:
    assert fresh.run("source_image") == ""
    change_image(fresh)
    assert len(looked(fresh).run_requests or []) == 1


def test_a_store_that_cannot_be_read_is_asked_again_later(fresh: Segmented) -> None:
    (fresh.project.root / "data/source.zarr").rename(fresh.project.root / "data/elsewhere.zarr")
    data = looked(fresh, "abc")
    assert (data.run_requests, data.cursor) == ([], "abc")
    assert "Cannot find out now whether image changed: No Zarr group" in str(data.skip_message)


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


def test_a_look_at_a_store_that_hangs_or_fails_is_short(fresh: Segmented) -> None:
    with StoreServer(fresh.project.root / "data") as server:
        fresh.project.write(**FIELDS, url=f"{server.url}/source.zarr", reading="{timeout: 0.2, tries: 50}")
        for fault in (hang, status(503)):
            server.faults["*"] = repeat(fault)
            start = monotonic()
            assert "Cannot find out now whether" in str(looked(fresh).skip_message)
            assert monotonic() - start < 5  # Dagster ends a look that takes a minute
        server.faults.clear()
        assert "unchanged" in str(looked(fresh).skip_message)


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
        job, status=dg.DagsterRunStatus.STARTED, asset_selection=frozenset(PLANE_LABELS), tags=tags
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


@pytest.mark.parametrize("running", [True, False])
def test_everything_is_off_unless_the_yaml_says_otherwise(fresh: Segmented, *, running: bool) -> None:
    automation = (
        "{schedule: true, cron: '*/5 * * * *', time_zone: Europe/Berlin, watch: true, watch_seconds: 90, refresh: true}"
    )
    fresh.project.write(**FIELDS | ({"automation": automation} if running else {}))
    schedule = fresh.definitions.resolve_schedule_def("missing_image")
    watch, refresh = (fresh.definitions.resolve_sensor_def(f"{name}_image") for name in ("watch", "refresh"))
    states = {schedule.default_status.value, watch.default_status.value, refresh.default_status.value}
    assert states == {"RUNNING" if running else "STOPPED"}
    seen = (schedule.cron_schedule, schedule.execution_timezone, watch.minimum_interval_seconds)
    assert seen == (("*/5 * * * *", "Europe/Berlin", 90) if running else ("0 3 * * *", "UTC", 3600))
