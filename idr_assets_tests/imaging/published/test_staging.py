"""Gathered files of a timepoint, and their places."""

from pathlib import Path

import numpy as np
import pytest

from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.output.files import write_file
from idr_assets.imaging.planes import Block, Plane
from idr_assets.imaging.published.layout import Layout
from idr_assets.imaging.published.slabs import PublishedPlane, SlabTask
from idr_assets.imaging.published.staging import check_gathered, measure_shards, put_in_place

WINDOW = Block(range(3, 5), (0, 1), range(4))


@pytest.fixture
def task(tmp_path: Path) -> SlabTask:
    layout = Layout(WINDOW, WINDOW, (20, 30), np.dtype("u2"))
    return SlabTask(str(tmp_path / "image"), "unused", {"mine": (0, 1)}, layout, str(tmp_path / "gathered"))


def test_shards_that_are_no_more_go_and_those_of_other_timepoints_stay(task: SlabTask) -> None:
    for key in ("0/c/0/0", "0/c/0/1", "0/c/1/0", "labels/mine/0/c/0/1"):
        write_file(f"{task.url}/{key}", b"old")
    for key in ("0/c/0/0", "labels/mine/0/c/0/0", "tables/objects/t=3"):
        write_file(f"{task.staging}/3/{key}", b"newer")
    put_in_place(task, 3)
    root = Path(task.url)
    assert {str(file.relative_to(root)): file.read_bytes() for file in root.rglob("*") if file.is_file()} == {
        "0/c/0/0": b"newer",
        "0/c/1/0": b"old",
        "labels/mine/0/c/0/0": b"newer",
        "tables/objects/t=3": b"newer",
    }
    assert (measure_shards(task, 3), measure_shards(task, 4)) == ([2, 10], [1, 3])
    assert not Path(task.staging, "3").exists()


def test_a_timepoint_whose_gathered_shards_were_cleared_stays_as_it_is(task: SlabTask) -> None:
    planes = [PublishedPlane(Plane(3, 0, 2), ()), PublishedPlane(Plane(3, 1, 2), ("mine",))]
    for key in ("0/c/0/0/0/0/0", "labels/mine/0/c/0/0/0/0/0"):
        with pytest.raises(ImageError, match="were removed or replaced"):
            check_gathered(task, 3, planes)
        write_file(f"{task.staging}/3/{key}", b"newer")
    check_gathered(task, 3, planes)


def test_a_shard_that_does_not_arrive_is_an_error(task: SlabTask) -> None:
    write_file(f"{task.staging}/3/0/c/7/0", b"of another timepoint")
    with pytest.raises(ImageError, match="were removed or replaced while they were put in place"):
        put_in_place(task, 3)
