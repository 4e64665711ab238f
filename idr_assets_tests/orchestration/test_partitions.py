"""Partitions: true indices in keys that sort as numbers, and rectangles of them."""

import dagster as dg
from hypothesis import given
from hypothesis import strategies as st

from idr_assets.imaging.planes import Plane
from idr_assets.orchestration.image import Image
from idr_assets.orchestration.partitions import block_of, partition_key, range_tags, window_partitions
from idr_assets_tests.support.small_image import PARTITIONS, RANGE, small_image


def intervals(length: int) -> st.SearchStrategy[range]:
    return st.tuples(st.integers(0, length - 1), st.integers(1, 4)).map(lambda it: range(it[0], min(sum(it), length)))


@st.composite
def images(draw: st.DrawFn) -> Image:
    t, z = draw(st.integers(1, 1200)), draw(st.integers(1, 1200))
    channels = draw(st.sampled_from([(0,), (2,), (2, 0)]))
    return small_image(shape=(t, 3, z, 1, 1), channels=channels, t=draw(intervals(t)), z=draw(intervals(z)))


def test_keys_are_true_indices_padded_to_the_width_of_the_last() -> None:
    partitions = window_partitions(small_image())
    assert [axis.name for axis in partitions.partitions_defs] == ["t", "z"]
    assert list(partitions.get_partition_keys()) == PARTITIONS
    assert partition_key(small_image(shape=(532, 2, 988, 1, 1)), Plane(7, 1, 42)) == "007|042"
    assert partition_key(small_image(shape=(10, 2, 1, 1, 1)), Plane(9, 1, 0)) == "9|0"


def test_a_wider_window_keeps_its_keys() -> None:
    narrow = set(window_partitions(small_image()).get_partition_keys())
    assert narrow < set(window_partitions(small_image(t=range(3), z=range(12))).get_partition_keys())


def test_tags_cover_the_window() -> None:
    image = small_image()
    assert range_tags(image, image.window) == dict(zip(RANGE, ("1|09", "2|10"), strict=True))


@given(images())
def test_the_whole_window_is_one_range(image: Image) -> None:
    first, last = (range_tags(image, image.window)[name] for name in RANGE)
    assert block_of(image, dg.PartitionKeyRange(first, last)) == image.window


@given(images(), st.data())
def test_a_rectangle_holds_the_planes_that_dagster_means(image: Image, data: st.DataObject) -> None:
    partitions = window_partitions(image)
    keys = list(partitions.get_partition_keys())
    assert keys == sorted(keys)
    (t, z) = (
        data.draw(st.lists(st.sampled_from(axis), min_size=2, max_size=2).map(sorted)) for axis in (image.t, image.z)
    )
    first, last = (partition_key(image, Plane(t[end], 0, z[end])) for end in (0, 1))
    wanted = partitions.get_partition_keys_in_range(dg.PartitionKeyRange(first, last))
    planes = block_of(image, dg.PartitionKeyRange(first, last)).planes()
    assert len(planes) == len(set(planes)) == len(wanted) * len(image.channels)
    assert {partition_key(image, plane) for plane in planes} == set(wanted)
    assert {plane.c for plane in planes} == set(image.channels)
