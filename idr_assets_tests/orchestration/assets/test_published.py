"""The asset `published`: what it reports, what is published again, and what stays when something goes wrong."""

import fcntl
import os
import shutil
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np
import pytest
import zarr

from idr_assets.imaging.output.output_image import open_output
from idr_assets.imaging.planes import Block
from idr_assets.imaging.published.slabs import PublishedPlane, SlabTask
from idr_assets_tests.support.damage import flip_bit
from idr_assets_tests.support.published_image import WANTED, files, own, publish, segment_most, shards
from idr_assets_tests.support.small_image import FIELDS, Segmented


def code_version(fresh: Segmented) -> str | None:
    key = fresh.project.key("published")
    return fresh.definitions.get_assets_def(key).code_versions_by_key[key]


def is_locked(folder: Path) -> bool:
    """Tell whether somebody holds a folder locked."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(opened)
    return False


@pytest.fixture
def ready(fresh: Segmented) -> Segmented:
    """Segment all planes but one of an image that is published."""
    return segment_most(fresh)


def test_it_holds_the_window_and_says_what_is_missing(ready: Segmented) -> None:
    assert publish(ready, "1", "2") == [True, True]
    root = ready.project.root / "data"
    whole, group = zarr.open_group(root / "image.ome.zarr", mode="r"), ready.value("published")
    for path in ("0", "labels/segmentation/0"):
        stored: Any = whole[path]
        np.testing.assert_array_equal(group[path][...], stored[1:3, :, 9:11])
    first, second = (ready.metadata("published", t) for t in "12")
    assert (first["path"], first["open it by"]) == (str(root / "image/published.ome.zarr"), "idr-assets show image")
    assert second["outlines, t 2 c 0 z 10"].startswith("![](data:image/png;base64,")
    assert "outlines, t 1 c 0 z 10" not in first  # it is missing
    assert [(it["planes"], it["planes not materialized"], it["shards"]) for it in (first, second)] == [
        (4, 2, 4),
        (4, 0, 4),
    ]
    assert first["missing planes"] == "segmentation, c 0: z 10\nsegmentation, c 1: z 10"
    assert own(ready)["published"] == {"t": 1, "c": [0, 1], "z": 9}
    described = b"".join(files(ready, "*.json").values())  # which are for others to read
    assert str(ready.project.root).encode() not in described
    assert own(ready)["timepoints"]["1"]["missing"] == {"segmentation": {"0": [[10, 10]], "1": [[10, 10]]}}


def test_only_timepoints_whose_planes_changed_are_written_and_as_a_full_rebuild_would(ready: Segmented) -> None:
    publish(ready, "1", "2")
    before, tables = shards(ready), files(ready, "*.parquet")
    assert publish(ready, "1", "2") == [False, False]
    logs = ready.instance.all_logs(ready.instance.get_runs(limit=1)[0].run_id)
    assert any("Timepoints written: 0. Unchanged since they were published: 2" in each.user_message for each in logs)
    ready.project.write(**FIELDS | WANTED | {"segmentation": "{parameters: {threshold_fraction: 0.5}}"})
    assert ready.run("plane_labels", "2|09") == ""
    assert publish(ready, "1", "2") == [False, True]
    after = shards(ready)
    assert {key for key in before if before[key] != after[key]} == {
        f"labels/segmentation/0/c/1/{c}/0/0/0" for c in "01"
    }
    later = files(ready, "*.parquet")
    assert {key.rpartition("/")[2] for key in tables if tables[key] != later[key]} == {"t=000002.parquet"}
    known = own(ready)
    recipes = [known["timepoints"][t]["recipes"]["segmentation"] for t in "12"]
    assert [len(names) for names in recipes] == [1, 2]
    parameters = [known["recipes"][name]["segmentation"]["parameters"] for name in set(recipes[1]) - set(recipes[0])]
    assert [it["threshold_fraction"] for it in parameters] == [0.5]
    root = ready.project.root / "data/image/published.ome.zarr"
    (root / "0/c/0/1/0/0/0").unlink()
    assert publish(ready, "1", "2") == [True, False]
    assert shards(ready) == after
    shutil.rmtree(root)
    assert publish(ready, "1", "2") == [True, True]
    assert shards(ready) == after
    assert files(ready, "*.parquet") == later


def test_a_damaged_plane_costs_its_timepoint_alone_and_old_shards_stay(ready: Segmented) -> None:
    publish(ready, "1", "2")
    before, known = shards(ready), own(ready)["timepoints"]["1"]
    assert ready.run("plane_labels", "1|10") == ""
    flip_bit(ready.project.root / "data/image.ome.zarr/labels/segmentation/0/c/1/0/9/0/0")
    failure = ready.run("published", "1", "2")
    assert "could not be published: 1. Published: 1.\nt 1: ImageError: t 1 c 0 z 9 is damaged" in failure
    assert "Make it again: `idr-assets wipe image '1|09'`, then `idr-assets resume image`." in failure
    assert own(ready)["timepoints"]["1"] == known
    assert shards(ready) == before
    ready.run("plane_labels", "1|09")
    assert publish(ready, "1", "2") == [True, False]


def test_an_older_image_of_another_shape_stays_until_all_its_timepoints_are_in_the_new_one(ready: Segmented) -> None:
    publish(ready, "1", "2")
    before, known = shards(ready), own(ready)
    ready.project.write(**FIELDS | WANTED | {"extent": "image"})
    assert publish(ready, "2") == [True]
    assert (shards(ready), own(ready)) == (before, known)
    folder = ready.project.root / "data/image"
    assert ready.metadata("published", "2")["path"] == str(folder / "published.next.ome.zarr")
    logs = ready.instance.all_logs(ready.instance.get_runs(limit=1)[0].run_id)
    assert any("until that has these timepoints too: 1. Publish them." in each.user_message for each in logs)
    assert publish(ready, "1", "2") == [True, False]
    assert ready.value("published")["0"].shape == (3, 2, 12, 40, 36)
    assert own(ready)["timepoints"].keys() == known["timepoints"].keys()
    assert ready.metadata("published", "2")["path"] == str(folder / "published.ome.zarr")
    assert [it.name for it in folder.glob("*.zarr*")] == ["published.ome.zarr"]
    assert publish(ready, "1", "2") == [False, False]


def test_another_window_begins_anew_grows_or_is_refused_among_foreign_files(ready: Segmented) -> None:
    ready.project.write(**FIELDS | WANTED | {"window": "{t: [1, 1], z: [9, 10]}"})
    publish(ready, "1")
    ready.project.write(**FIELDS | WANTED)
    assert publish(ready, "1", "2") == [False, True]  # it became longer
    ready.project.write(**FIELDS | WANTED | {"window": "{t: [2, 2], z: [9, 10]}"})
    assert publish(ready, "2") == [True]
    assert {key.partition("c/")[2] for key in shards(ready)} == {f"0/{c}/0/0/0" for c in "01"}
    assert own(ready)["timepoints"].keys() == {"2"}
    ready.project.write(**FIELDS | WANTED | {"channels": "[0]", "measure": "[1]"})
    assert publish(ready, "1", "2") == [True, True]
    for timepoints in ("1", "2"), ("2",):  # one timepoint keeps what is known of the others
        publish(ready, *timepoints)
        meanings = ready.value("published")["tables/objects"].attrs["columns"]
        assert meanings["intensity_max_c1"] == "maximum intensity, in arbitrary units, of channel c1"
    of_labels = {key for key in shards(ready) if key.startswith("labels")}
    assert {key.partition("c/")[2] for key in shards(ready)} == {f"{t}/{c}/0/0/0" for t in "01" for c in "01"}
    assert {key.partition("c/")[2] for key in of_labels} == {f"{t}/0/0/0/0" for t in "01"}
    versions = set()
    for change in ({}, {"extent": "image"}, {"measure": "[0]"}):
        ready.project.write(**FIELDS | WANTED | change)
        versions.add(code_version(ready))
    assert len(versions) == 3
    document = ready.project.root / "data/image/published.ome.zarr/zarr.json"
    document.write_text('{"zarr_format": 3, "node_type": "group", "attributes": {}}')
    assert "is where the published image goes, but something else lies there" in ready.run("published", "2")
    assert {*shards(ready)} >= of_labels


def test_a_run_keeps_others_out_and_fails_a_timepoint_whose_planes_change(
    ready: Segmented, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept_out = []

    def change_a_plane(task: SlabTask, slab: Block) -> list[PublishedPlane]:
        kept_out.append(is_locked(ready.project.root / "data/image"))
        if (slab.t[0], slab.c[0]) == (1, 0):
            open_output(task.output).labels[1, 1, 9] = 0
        return publish_slab(task, slab)

    publish_slab = SlabTask._publish  # noqa: SLF001  what a worker does, in the middle of which planes change
    monkeypatch.setattr(SlabTask, "_publish", change_a_plane)
    wanted = "Published: 1.\nt 1: planes of its timepoint changed while it was published"
    assert wanted in ready.run("published", "1", "2")
    assert own(ready)["timepoints"].keys() == {"2"}
    assert kept_out == [True] * 4


def test_an_image_that_is_not_published_has_no_such_asset(fresh: Segmented) -> None:
    keys = fresh.definitions.resolve_asset_graph().get_all_asset_keys()
    assert fresh.project.key("published") not in keys
    assert dg.AssetKey(["image", "objects"]) in keys
