"""Planes are wiped while a run makes them: in the end Dagster counts what is stored, and no more."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from time import sleep

import dagster as dg
import pytest

from idr_assets.commands import wipe as wiping
from idr_assets.imaging.output.output_image import open_output
from idr_assets.orchestration import event_log
from idr_assets.orchestration.assets import progress
from idr_assets.orchestration.partitions import partition_key
from idr_assets.project import find_image
from idr_assets_tests.support.dagster_home import project_instance, wait_until
from idr_assets_tests.support.slow_planes import held
from idr_assets_tests.support.small_image import FIELDS, PARTITIONS, Segmented, write_project

tell = event_log.tell_partitions


@pytest.fixture
def batched(tmp_path: Path) -> Iterator[Segmented]:
    """Give a project whose planes of t 2 are held, with an instance that has the project's settings."""
    (tmp_path / "hold").write_text("2")
    project = write_project(tmp_path / "wiped")
    project.write(**FIELDS, segmentation=f"{{function: {held.__module__}.held, parameters: {{folder: {tmp_path}}}}}")
    with project_instance(tmp_path / "home") as instance:
        yield Segmented(project, instance)


def run(segmented: Segmented) -> str:
    return segmented.run("plane_labels", PARTITIONS[0], PARTITIONS[-1])


def wipe(segmented: Segmented) -> int:
    (image,) = find_image(segmented.definitions, "image")
    return wiping._wipe(segmented.instance, image, image.window)  # noqa: SLF001  without the process around it


def stored(segmented: Segmented) -> set[str]:
    (image,) = find_image(segmented.definitions, "image")
    output = open_output(image.labels_url, "segmentation")
    lost = {partition_key(image, plane) for plane in image.window.planes() if output.read(plane) is None}
    return set(PARTITIONS) - lost


def test_a_wipe_waits_while_a_run_tells_what_it_has_seen(
    batched: Segmented, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "hold").unlink()
    wiped: list[Future[int]] = []

    def wipe_before(context: dg.AssetExecutionContext, events: Sequence[dg.AssetMaterialization]) -> None:
        wiped.append(pool.submit(wipe, batched))
        sleep(1)
        assert not wiped[0].done()
        tell(context, events)

    monkeypatch.setattr(event_log, "tell_partitions", wipe_before)
    monkeypatch.setattr(progress, "INTERVAL", 600)
    with ThreadPoolExecutor(1) as pool:
        assert run(batched) == ""
    assert wiped[0].result() == len(PARTITIONS)
    assert (batched.materialized(), stored(batched)) == (set(), set())


@pytest.mark.parametrize("told", [False, True])
def test_planes_that_are_wiped_before_or_after_they_are_told_do_not_count(
    batched: Segmented, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, told: bool
) -> None:
    monkeypatch.setattr(progress, "INTERVAL", 0.2 if told else 600)
    with ThreadPoolExecutor(1) as pool:
        failure = pool.submit(run, batched)
        labels = batched.project.root / "data/image.ome.zarr/labels/segmentation/0/c/1"
        wait_until(lambda: batched.materialized() if told else len([*labels.glob("*/*/0/0")]) == len(PARTITIONS))
        sleep(0.5)
        wipe(batched)
        (tmp_path / "hold").unlink()
    assert ("t 1 c 0 z 9: it was overwritten" in failure.result()) is not told
    assert batched.materialized() == stored(batched) == {"2|09", "2|10"}


def test_planes_that_are_wiped_while_the_event_log_refuses_them_do_not_count(
    batched: Segmented, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused: list[int] = []

    def refuse_once(context: dg.AssetExecutionContext, events: Sequence[dg.AssetMaterialization]) -> None:
        if not refused:
            refused.append(1)
            message = "database is locked"
            raise OSError(message)
        tell(context, events)

    monkeypatch.setattr(event_log, "tell_partitions", refuse_once)
    monkeypatch.setattr(progress, "INTERVAL", 2)
    with ThreadPoolExecutor(1) as pool:
        failure = pool.submit(run, batched)
        wait_until(lambda: refused)
        wipe(batched)
        (tmp_path / "hold").unlink()
    assert "2 of 4 partitions were made" in failure.result()
    assert batched.materialized() == stored(batched) == {"2|09", "2|10"}
