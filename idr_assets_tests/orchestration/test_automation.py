"""What runs by itself, evaluated against a real instance; `test_cockpit` lets it run."""

import re
from collections.abc import Iterator
from itertools import repeat
from time import monotonic
from typing import Any

import dagster as dg
import pytest

from idr_assets.orchestration.automation import FIGURES
from idr_assets_tests.orchestration.small_image import FIELDS, PARTITIONS, RANGE, Segmented
from idr_assets_tests.store_server import StoreServer, hang, status

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
    return [tuple(request.tags[name] for name in RANGE) for request in requests], data.skip_message or ""


def looked(segmented: Segmented, cursor: str | None = None) -> Any:  # noqa: ANN401  Dagster's own
    """Evaluate the sensor that watches the image."""
    context = dg.build_sensor_context(instance=segmented.instance, cursor=cursor)
    return segmented.definitions.resolve_sensor_def("watch_image").evaluate_tick(context)


def change_image(segmented: Segmented, level: int = 4) -> None:
    document = segmented.project.root / "data/source.zarr/0/.zarray"
    document.write_text(re.sub(r'"clevel": \d', f'"clevel": {level}', document.read_text()))


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
    assert "cannot be told now: No Zarr group" in str(data.skip_message)


def test_a_look_at_a_store_that_hangs_or_fails_is_short(fresh: Segmented) -> None:
    with StoreServer(fresh.project.root / "data") as server:
        fresh.project.write(**FIELDS, url=f"{server.url}/source.zarr", reading="{timeout: 0.2, tries: 50}")
        for fault in (hang, status(503)):
            server.faults["*"] = repeat(fault)
            start = monotonic()
            assert "cannot be told now" in str(looked(fresh).skip_message)
            assert monotonic() - start < 5  # Dagster ends a look that takes a minute
        server.faults.clear()
        assert "unchanged" in str(looked(fresh).skip_message)


def test_labels_that_change_while_figures_are_drawn_are_drawn_too(fresh: Segmented) -> None:
    def drawn_anew(cursor: Any = None) -> tuple[int, Any]:  # noqa: ANN401  Dagster's own
        figures = dg.AssetSelection.assets(*(fresh.project.key(figure) for figure in FIGURES))
        found = dg.evaluate_automation_conditions(fresh.definitions, fresh.instance, figures, cursor=cursor)
        return found.total_requested, found.cursor

    def draw() -> None:
        job = fresh.definitions.resolve_implicit_global_asset_job_def()
        job.execute_in_process(instance=fresh.instance, asset_selection=[*map(fresh.project.key, FIGURES)])

    _, cursor = drawn_anew()
    fresh.run("plane_labels", "1|09")
    requested, cursor = drawn_anew(cursor)
    assert requested == len(FIGURES)
    draw()
    fresh.run("plane_labels", "1|10")
    requested, cursor = drawn_anew(cursor)
    assert requested == len(FIGURES)
    draw()
    assert drawn_anew(cursor)[0] == 0


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
