"""The asset `plane_labels`: the right pixels and labels, of the chosen function, at the right place."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.ndimage
import zarr

from idr_assets.imaging.output.provenance import read_provenance
from idr_assets_tests.support.small_image import (
    FIELDS,
    PARTITIONS,
    PIXELS,
    PLANES,
    Segmented,
    recipe,
)
from idr_assets_tests.support.stored_files import RECORDS

OWN_FUNCTION = """
import scipy.ndimage
from idr_assets.imaging.segmentation.functions import per_plane, versioned

@versioned("1")
@per_plane
def brighter(plane, *, than):
    return scipy.ndimage.label(plane > than)[0]
"""


def stored(segmented: Segmented, path: str) -> zarr.Array[Any]:
    return zarr.open_array(segmented.project.root / "data" / "image.ome.zarr" / path, mode="r")


def written(folder: Path) -> dict[str, tuple[int, int]]:
    """Tell of each file which it is and when it was last written; not of records of planes."""
    files = [(file, file.stat()) for file in folder.rglob("*") if file.is_file() and not file.match(RECORDS)]
    return {str(file.relative_to(folder)): (stat.st_ino, stat.st_mtime_ns) for file, stat in files}


def use_own_function(project: Segmented, than: int) -> dict[str, object]:
    """Write the function and the YAML that names it; give the segmentation as provenance tells it."""
    package = project.project.package
    (package / "own.py").write_text(OWN_FUNCTION)
    function = f"{package.name}.own.brighter"
    project.project.write(**FIELDS, segmentation=f"{{function: {function}, parameters: {{than: {than}}}}}")
    return {"function": function, "version": "1", "parameters": {"than": than}}


def test_pixels_and_labels_of_every_channel_equal_the_recipe(segmented: Segmented) -> None:
    pixels, labels = stored(segmented, "0"), stored(segmented, "labels/segmentation/0")
    for plane in PLANES:
        assert np.array_equal(pixels[plane], PIXELS[plane])
        assert np.array_equal(labels[plane], recipe(PIXELS[plane]))
    assert labels.dtype == np.int32
    assert segmented.materialized() == set(PARTITIONS)


def test_only_the_window_is_stored(segmented: Segmented) -> None:
    output = segmented.project.root / "data" / "image.ome.zarr"
    for array in ("0", "labels/segmentation/0"):
        chunks = [chunk.relative_to(output / array / "c").parts for chunk in (output / array / "c").rglob("0/0")]
        assert {tuple(map(int, chunk[:3])) for chunk in chunks} == set(PLANES)


def test_a_plane_rerun_leaves_every_other_file_untouched(fresh: Segmented) -> None:
    output = fresh.project.root / "data/image.ome.zarr"
    assert fresh.run("plane_labels", PARTITIONS[0], PARTITIONS[-1]) == ""
    before = written(output)
    assert fresh.run("plane_labels", "1|10") == ""
    after = written(output)
    assert after.keys() == before.keys()
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {f"labels/segmentation/0/c/1/{c}/10/0/0" for c in (0, 1)}  # pixels stay as they are


def test_a_function_of_ones_own_is_applied_with_its_parameters_and_told(fresh: Segmented) -> None:
    first = use_own_function(fresh, than=600)
    assert fresh.run("plane_labels", PARTITIONS[0], PARTITIONS[-1]) == ""
    second = use_own_function(fresh, than=900)
    assert fresh.run("plane_labels", "1|10") == ""
    for t, c, z in PLANES:
        than, told = (900, second) if (t, z) == (1, 10) else (600, first)
        wanted, _ = scipy.ndimage.label(PIXELS[t, c, z] > than)
        assert np.array_equal(stored(fresh, "labels/segmentation/0")[t, c, z], wanted)
        assert json.loads(fresh.metadata("plane_labels", f"{t}|{z:02}")["segmentation"]) == told
    output = str(fresh.project.root / "data/image.ome.zarr")
    noted = [record.to_json()["segmentation"] for record in read_provenance(output, "segmentation")]
    assert sorted(noted, key=str) == [first, second]
    assert fresh.run("plane_browser") == ""
    assert "{&#39;than&#39;: 600}; " in fresh.value("plane_browser")


def test_planes_of_another_address_are_added_with_a_warning(fresh: Segmented, monkeypatch: pytest.MonkeyPatch) -> None:
    data = fresh.project.root / "data"
    shutil.copytree(data / "source.zarr", data / "mirror.zarr")
    for home in ("", str(data)):
        monkeypatch.setenv("DAGSTER_HOME", home)
        assert fresh.run("plane_labels", "1|09") == ""
    fresh.project.write(**FIELDS | {"url": "mirror.zarr"})
    assert fresh.run("plane_labels", "1|10") == ""
    told = [entry.user_message for run in fresh.instance.get_runs() for entry in fresh.instance.all_logs(run.run_id)]
    (warning,) = [message for message in told if "holds planes of" in message]
    assert sum("DAGSTER_HOME is not set" in message for message in told) == 1
    assert f"image.ome.zarr holds planes of {data}/source.zarr; planes of {data}/mirror.zarr are added" in warning


def test_outputs_lie_wherever_fsspec_reaches(fresh: Segmented, monkeypatch: pytest.MonkeyPatch) -> None:
    fresh.project.write(**FIELDS | {"url": str(fresh.project.root / "data/source.zarr")})
    monkeypatch.setenv("IDR_ASSETS_DATA", f"memory://{fresh.project.root.name}")
    assert fresh.run("plane_labels", "2|09") == ""
    assert fresh.run("plane_browser") == ""
    assert np.array_equal(fresh.value("plane_labels", "2|09"), [recipe(PIXELS[2, c, 9]) for c in (0, 1)])
    assert "t 2 c 1 z 9" in fresh.value("plane_browser")
    assert [path.name for path in (fresh.project.root / "data").iterdir()] == ["source.zarr"]


def test_a_recipe_that_finds_no_object_anywhere_is_warned_of(fresh: Segmented) -> None:
    for than, warned in ((65535, True), (300, False)):
        use_own_function(fresh, than)
        assert fresh.run("plane_labels", PARTITIONS[0], PARTITIONS[-1]) == ""
        (run,) = fresh.instance.get_runs(limit=1)
        told = [entry.user_message for entry in fresh.instance.all_logs(run.run_id)]
        found = [message for message in told if message.startswith("no object in any of 8 planes: check whether ")]
        assert bool(found) is warned
