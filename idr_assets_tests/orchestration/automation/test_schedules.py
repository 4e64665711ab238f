"""What runs by itself, evaluated against a real instance; `test_cockpit` lets it run."""

from collections.abc import Iterator
from itertools import repeat
from time import monotonic
from typing import Any

import dagster as dg
import pytest

from idr_assets_tests.support.small_image import FIELDS, PARTITIONS, RANGE, Segmented, change_image
from idr_assets_tests.support.store_faults import hang, status
from idr_assets_tests.support.store_server import StoreServer

PLANE_LABELS = [dg.AssetKey(["image", "plane_labels"])]


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
