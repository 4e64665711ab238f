"""Two runs with different recipes on one plane at once: what is told of the plane is what is stored."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np
import numpy.typing as npt
import pytest
import scipy.ndimage

from idr_assets.imaging import planes
from idr_assets.imaging.output.output_image import open_output
from idr_assets.imaging.planes import Plane
from idr_assets.imaging.segmentation.functions import per_plane, versioned
from idr_assets.orchestration.assets import progress
from idr_assets_tests.support.dagster_home import wait_until
from idr_assets_tests.support.small_image import FIELDS, PIXELS, Segmented

ONE_WORKER = "type: idr_assets.DaskCluster\nattributes:\n  workers: 1\n"
BRIGHT, BRIGHTER = 600, 900
"""The recipes of the first and of the second run: intensities above which a pixel is labelled."""


def labels_of(plane: npt.NDArray[Any], than: int) -> npt.NDArray[np.int32]:
    labels: npt.NDArray[np.int32] = scipy.ndimage.label(plane > than)[0]
    return labels


@versioned("1")
@per_plane
def held(plane: npt.NDArray[Any], *, than: int, at: list[int] | None, folder: str) -> npt.NDArray[np.int32]:
    """Label what is brighter, at one plane not before the folder holds a file `go`."""
    if at and np.array_equal(plane, PIXELS[tuple(at)]):
        (Path(folder) / "waits").touch()
        wait_until((Path(folder) / "go").exists)
    return labels_of(plane, than)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder for `held`; the planes of a partition are a block, and blocks come one after the other."""
    monkeypatch.setattr(planes, "MOST_PLANES", 2)
    monkeypatch.setattr(progress, "INTERVAL", 600)  # Dagster is told at the end
    return tmp_path


def use(segmented: Segmented, folder: Path, than: int, at: Plane | None = None) -> None:
    where = [at.t, at.c, at.z] if at else None
    parameters = json.dumps({"than": than, "at": where, "folder": str(folder)})
    segmented.project.write(**FIELDS, segmentation=f"{{function: {__name__}.held, parameters: {parameters}}}")
    (segmented.project.package / "defs/dask/defs.yaml").write_text(ONE_WORKER)


def overlap(segmented: Segmented, folder: Path, at: Plane, *partitions: str) -> list[str]:
    """Run `1|09` by another recipe, while the first run, of these partitions, is held at a plane; give each failure."""
    use(segmented, folder, BRIGHT, at)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(segmented.run, "plane_labels", *partitions)
        try:
            wait_until((folder / "waits").exists)
            use(segmented, folder, BRIGHTER)
            second = segmented.run("plane_labels", "1|09")
        finally:
            (folder / "go").touch()
        return [first.result(), second]


def check(segmented: Segmented, partition: str, than: int) -> None:
    """Check that a partition's last event and its stored labels are those of one recipe."""
    t, z = map(int, partition.split("|"))
    told = segmented.metadata("plane_labels", partition)
    assert json.loads(told["segmentation"])["parameters"]["than"] == than
    output = open_output(str(segmented.project.root / "data/image.ome.zarr"))
    for c in (0, 1):
        expected = labels_of(PIXELS[t, c, z], than)
        np.testing.assert_array_equal(output.labels[t, c, z], expected)
        assert told[f"objects (c {c})"] == expected.max()


def test_a_plane_that_another_run_overwrote_is_not_reported_but_named(fresh: Segmented, folder: Path) -> None:
    first, second = overlap(fresh, folder, Plane(1, 0, 10), "1|09", "1|10")
    assert second == ""
    named = re.findall(r"^(t .*): it was overwritten meanwhile by another run.*\n(.*)", first, re.MULTILINE)
    assert named == [("t 1 c 0 z 9", "  and for the same reason: t 1 c 1 z 9")]
    assert "Materialize it again while no other run writes it." in first
    check(fresh, "1|09", BRIGHTER)
    check(fresh, "1|10", BRIGHT)
    events = fresh.instance.fetch_materializations(fresh.project.key("plane_labels"), limit=9).records
    assert sorted(str(event.partition_key) for event in events) == ["1|09", "1|10"]
    key = dg.AssetCheckKey(fresh.project.key("plane_labels"), "planes_stored")
    history = fresh.instance.event_log_storage.get_asset_check_execution_history(key, limit=2)
    assert [check.status.value for check in history] == ["SUCCEEDED", "FAILED"]


def test_the_run_that_writes_last_is_told_last(fresh: Segmented, folder: Path) -> None:
    assert overlap(fresh, folder, Plane(1, 0, 9), "1|09") == ["", ""]
    check(fresh, "1|09", BRIGHT)
