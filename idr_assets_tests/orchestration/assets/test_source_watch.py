"""An image that is replaced, grows or goes away while a run reads it: what of the run counts then."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from idr_assets.orchestration.assets import progress
from idr_assets.orchestration.automation.missing import stale_planes
from idr_assets_tests.support.dagster_home import wait_until
from idr_assets_tests.support.slow_planes import held
from idr_assets_tests.support.small_image import FIELDS, PARTITIONS, Segmented, change_image


@pytest.fixture
def run_and(fresh: Segmented, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], str]:
    """Give a function that runs the window, does something once t 1 is told, and gives why the run failed."""
    monkeypatch.setattr(progress, "INTERVAL", 0.2)
    function = f"{{function: {held.__module__}.held, parameters: {{folder: {tmp_path}}}}}"
    fresh.project.write(**FIELDS, segmentation=function)
    hold = tmp_path / "hold"
    hold.write_text("2")

    def run(then: Callable[[], object]) -> str:
        with ThreadPoolExecutor(1) as pool:
            failure = pool.submit(fresh.run, "plane_labels", PARTITIONS[0], PARTITIONS[-1])
            try:
                wait_until(lambda: failure.done() or fresh.materialized() == {"1|09", "1|10"})
                then()
            finally:
                hold.unlink()
            return failure.result()

    return run


def document(segmented: Segmented) -> Path:
    return segmented.project.root / "data/source.zarr/0/.zarray"


def test_planes_of_an_image_that_is_replaced_meanwhile_do_not_count(
    fresh: Segmented, run_and: Callable[[Callable[[], object]], str]
) -> None:
    failure = run_and(lambda: change_image(fresh))
    assert "t 2 c 0 z 9: the image was replaced while the run read it" in failure
    assert "Partitions that are done: 2." in failure
    assert fresh.materialized() == {"1|09", "1|10"}
    assert stale_planes(fresh.instance, fresh.project.load_image()) == {(1, 9), (1, 10)}  # of the old image
    labels = fresh.project.root / "data/image.ome.zarr/labels/segmentation/0/c"
    assert {path.relative_to(labels).parts[0] for path in labels.rglob("*") if path.is_file()} == {"1"}
    assert fresh.run("plane_labels", "2|09", "2|10") == ""
    assert fresh.materialized() == set(PARTITIONS)


def test_planes_of_an_image_that_grows_meanwhile_count(
    fresh: Segmented, run_and: Callable[[Callable[[], object]], str]
) -> None:
    longer = document(fresh).read_text().replace("    3,\n", "    4,\n", 1)
    assert longer != document(fresh).read_text()
    assert run_and(lambda: document(fresh).write_text(longer)) == ""
    assert fresh.materialized() == set(PARTITIONS)


def test_planes_of_an_image_that_cannot_be_looked_at_again_do_not_count(
    fresh: Segmented, run_and: Callable[[Callable[[], object]], str]
) -> None:
    failure = run_and(document(fresh).unlink)
    assert "t 2 c 0 z 9: the store did not answer when the run looked whether the image was replaced" in failure
    assert fresh.materialized() == {"1|09", "1|10"}
