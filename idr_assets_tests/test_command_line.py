"""Every way to run the project from the command line, as a user types it, in real processes without network."""

import re
from collections.abc import Iterator
from itertools import product

import dagster as dg
import pytest

from idr_assets import open_labels
from idr_assets.imaging.errors import ImageError
from idr_assets_tests.support.dagster_home import DagsterHome, dagster_home

pytestmark = pytest.mark.timeout(600)

LABELS = dg.AssetKey(["demo", "plane_labels"])
WINDOW = {f"{t:02}|{z:02}" for t, z in product(range(1, 11), range(3, 13))}
RECTANGLE = {"04|06", "04|07", "05|06", "05|07"}
FIGURES = {"montage", "plane_browser"}
MEASURES = {"objects", "object_counts", "published"}
CHECKS = (
    "matches_yaml",
    "planes_stored",
    "source_planes_usable",
    "object_counts_like_neighbours",
    "planes_independent",
)

DAGSTER = "dagster asset materialize -m idr_assets.definitions --select"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DagsterHome]:
    """Give an instance after `make demo`."""
    instance = tmp_path_factory.mktemp("instance") / "x # ü"  # Dagster misreads ?, [1] and %20 here
    instance.mkdir()
    with dagster_home(instance) as home:
        home.data = instance / "x #?%20[1] ü"
        for job in ("segment_demo", "measure_demo"):
            code, output = home.run(f"dg launch --job {job}")
            assert code == 0, output
        yield home


def last_run(home: DagsterHome, before: int = 0) -> tuple[dg.DagsterRunStatus, set[str | None], set[str]]:
    """Give a run's status, the partitions of its labels, and what else it materialized; or that of a run before it."""
    instance = home.instance
    run = instance.get_runs(limit=1 + before)[before]
    events = [event.asset_materialization for event in instance.all_logs(run.run_id) if event.asset_materialization]
    others = {event.asset_key.path[-1] for event in events if event.asset_key != LABELS}
    return run.status, {event.partition for event in events if event.asset_key == LABELS}, others


def test_demo_leaves_labels_and_pictures(demo: DagsterHome) -> None:
    assert last_run(demo, 1) == (dg.DagsterRunStatus.SUCCESS, WINDOW, {"synthetic_embryo", "source_image"} | FIGURES)
    assert last_run(demo) == (dg.DagsterRunStatus.SUCCESS, set(), MEASURES)
    files = ("montage.png", "planes.html", "objects/t=01.parquet", "objects/t=10.parquet", "object_counts.svg")
    results = ("demo.ome.zarr/labels/segmentation/0/c/10/0/12/0/0", *(f"demo/{file}" for file in files))
    assert [result for result in results if not (demo.data / result).exists()] == []


def test_demo_passes_every_check(demo: DagsterHome) -> None:
    instance = demo.instance
    logs = instance.all_logs(instance.get_runs(limit=2)[1].run_id)
    found = [event.asset_check_evaluation for event in logs if event.asset_check_evaluation]
    assert {evaluation.check_name: evaluation.passed for evaluation in found} == dict.fromkeys(CHECKS, True)


@pytest.mark.parametrize(
    ("command", "partitions"),
    [
        (f"{DAGSTER} demo/plane_labels --partition '05|07'", {"05|07"}),
        ("dg launch --assets demo/plane_labels --partition '05|08'", {"05|08"}),
        (f"{DAGSTER} '+key:demo/montage or key:demo/plane_browser' --partition-range '01|03...10|12'", WINDOW),
    ],
)
def test_one_run_makes_exactly_the_partitions(command: str, partitions: set[str], demo: DagsterHome) -> None:
    code, output = demo.run(command)
    assert code == 0, output
    assert last_run(demo)[:2] == (dg.DagsterRunStatus.SUCCESS, partitions)
    assert f"{len(partitions)} of {len(partitions)} planes done" in output
    assert ("Use 'dg launch" in output) == ("dagster " in command)
    assert re.search(r"http://127\.0\.0\.1:\d+/status", output)  # the dashboard


@pytest.mark.parametrize(
    ("command", "made"),
    [
        ("dg launch --assets demo/montage,demo/plane_browser", FIGURES),
        ("dg launch --assets demo/objects --partition 05", {"objects"}),
        ("env DAGSTER_MODULE_NAME=idr_assets.definitions dagster job execute -j measure_demo", MEASURES),
    ],
)
def test_what_is_made_from_labels_is_made_alone(command: str, made: set[str], demo: DagsterHome) -> None:
    code, output = demo.run(command)
    assert code == 0, output
    assert last_run(demo) == (dg.DagsterRunStatus.SUCCESS, set(), made)


def test_a_bad_plane_fails_the_command_and_is_made_up_for_alone(demo: DagsterHome) -> None:
    chunk = demo.data / "synthetic_embryo.zarr/0/4/0/6/0/0"
    pixels = chunk.read_bytes()
    chunk.unlink()
    code, output = demo.run("dg launch --assets demo/plane_labels --partition-range '04|06...05|07'")
    assert code == 1
    assert "Planes that failed: 1. Partitions that are done: 3." in output
    assert f"{chunk} is missing" in output
    assert last_run(demo)[:2] == (dg.DagsterRunStatus.FAILURE, RECTANGLE - {"04|06"})

    assert demo.run("idr-assets missing demo") == (0, "04|06\n")

    chunk.write_bytes(pixels)
    code, output = demo.run("idr-assets resume demo")
    assert code == 0, output
    assert "1 of 1 partitions are stored already, and taken over" in output  # as an earlier run made it
    assert last_run(demo, 1) == (dg.DagsterRunStatus.SUCCESS, set(), FIGURES)
    assert last_run(demo) == (dg.DagsterRunStatus.SUCCESS, set(), MEASURES)


def test_wiped_planes_are_missing_and_the_others_open(demo: DagsterHome, monkeypatch: pytest.MonkeyPatch) -> None:
    assert demo.run("idr-assets wipe demo '05|07'") == (0, "Labels of demo were deleted for 1 partition.\n")
    assert demo.run("idr-assets missing demo") == (0, "05|07\n")
    monkeypatch.setenv("IDR_ASSETS_DATA", str(demo.data))
    labels = open_labels("demo")
    assert labels[5, 0, 8].max().compute() > 0
    with pytest.raises(ImageError, match="t 5 c 0 z 7 is not stored"):
        labels[5, 0, 7].compute()


def test_nothing_is_left_and_nothing_was_asked_of_the_network(demo: DagsterHome) -> None:
    assert demo.processes == []
    assert demo.refused == []
    assert list(demo.path.rglob(".telemetry")) == []
