"""Blocks, keys and selections of planes: rules that hold for every window and chunk shape."""

from collections import Counter
from itertools import pairwise, product

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from idr_assets.imaging.planes import Block, Plane, block_size, count_objects, evenly_spread, index_key, thin


@st.composite
def ranges(draw: st.DrawFn, longest: int = 20) -> range:
    start = draw(st.integers(0, 600))
    return range(start, start + draw(st.integers(1, longest)))


channels = st.lists(st.integers(0, 4), min_size=1, max_size=3, unique=True).map(tuple)
windows = st.builds(Block, ranges(), channels, ranges())
chunk_shapes = st.tuples(st.integers(1, 7), st.integers(1, 3), st.integers(1, 7), st.just(128), st.just(135))


def source_chunks(block: Block, chunks: tuple[int, ...]) -> set[tuple[int, ...]]:
    return {(plane.t // chunks[0], plane.c // chunks[1], plane.z // chunks[2]) for plane in block.planes()}


@given(windows, chunk_shapes, st.integers(1, 200))
def test_blocks_cover_the_window_exactly_once(window: Block, chunks: tuple[int, ...], most: int) -> None:
    covered = Counter(plane for block in window.cut(chunks, most) for plane in block.planes())
    assert covered == Counter(window.planes())


@given(windows, chunk_shapes, st.integers(1, 200))
def test_no_source_chunk_lies_in_two_blocks(window: Block, chunks: tuple[int, ...], most: int) -> None:
    needed = Counter(chunk for block in window.cut(chunks, most) for chunk in source_chunks(block, chunks))
    assert set(needed.values()) == {1}


@given(windows, chunk_shapes, st.integers(1, 200))
def test_no_block_is_larger_than_asked_or_than_one_chunk(window: Block, chunks: tuple[int, ...], most: int) -> None:
    least = chunks[0] * len(window.c) * chunks[2]
    assert all(0 < len(block) <= max(most, least) for block in window.cut(chunks, most))


@given(windows, chunk_shapes, st.data())
def test_wanted_planes_are_covered_once_with_those_in_their_chunks(
    window: Block, chunks: tuple[int, ...], data: st.DataObject
) -> None:
    wanted = data.draw(st.sets(st.sampled_from(window.planes())))
    covering = list(window.covering(wanted, chunks))
    needed = {chunk for plane in wanted for chunk in source_chunks(plane.block, chunks)}
    expected = [plane for plane in window.planes() if source_chunks(plane.block, chunks) <= needed]
    assert sorted(plane for block in covering for plane in block.planes()) == sorted(expected)
    assert max(Counter(chunk for block in covering for chunk in source_chunks(block, chunks)).values(), default=1) == 1


@given(windows, st.integers(1, 200))
def test_planes_that_are_chunks_fill_their_blocks(window: Block, most: int) -> None:
    assume(most >= len(window))
    assert list(window.cut((1, 1, 1, 128, 135), most)) == [window]


@given(windows)
def test_planes_are_listed_in_the_order_of_the_axes(window: Block) -> None:
    planes = window.planes()
    assert len(planes) == len(window) == len(set(planes))
    assert planes == [Plane(t, c, z) for t in window.t for c in window.c for z in window.z]
    assert [single.planes() for single in window.single_planes()] == [[plane] for plane in planes]


@given(st.tuples(st.integers(1, 20_000), st.integers(1, 20_000)), st.integers(1, 10**6), st.integers(1, 500))
def test_blocks_fit_into_memory_and_are_alike_for_each_worker(
    shape: tuple[int, int], planes: int, workers: int
) -> None:
    size = block_size(shape, planes, workers)
    assert 1 <= size <= 64
    assert size == 1 or size * shape[0] * shape[1] <= 2**24
    rounds = -(-planes // (size * workers))
    assert (size - 1) * workers * rounds < planes  # a plane less, and one more round were needed
    assert rounds >= 4 or planes < 4 * 32 * workers
    larger = -(-planes // (workers * max(1, rounds - 1)))
    assert rounds == 1 or size >= 32 or larger * shape[0] * shape[1] > 2**24


@given(st.integers(1, 3000))
def test_keys_sort_as_numbers(length: int) -> None:
    keys = [index_key(index, length) for index in range(length)]
    assert [int(key) for key in keys] == list(range(length))
    assert keys == sorted(keys)
    assert {len(key) for key in keys} == {len(str(length - 1))}


def test_keys_of_the_idr_image() -> None:
    assert (index_key(261, 532), index_key(4, 988), index_key(0, 1)) == ("261", "004", "0")
    assert str(Plane(261, 0, 4)) == "t 261 c 0 z 4"


@given(st.lists(st.integers(), min_size=1, max_size=200, unique=True), st.integers(2, 40))
def test_evenly_spread_keeps_ends_and_order(items: list[int], most: int) -> None:
    picked = evenly_spread(items, most)
    positions = [items.index(item) for item in picked]
    assert len(picked) == min(most, len(items))
    assert (picked[0], picked[-1]) == (items[0], items[-1])
    steps = {later - earlier for earlier, later in pairwise(positions)}
    assert not steps or (min(steps) >= 1 and max(steps) - min(steps) <= 1)


def test_evenly_spread_of_one_keeps_the_first() -> None:
    assert evenly_spread(range(10), 1) == [0]


@given(ranges(), st.integers(1, 20), ranges(), st.integers(1, 30))
def test_a_window_is_thinned_to_planes_of_it_and_kept_where_it_is_small(
    t: range, channels: int, z: range, most: int
) -> None:
    window = Block(t, tuple(range(channels)), z)
    kept = list(product(*thin(window, most)))
    assert 1 <= len(kept) <= most
    assert {Plane(*where) for where in kept} <= set(window.planes())
    assert len(kept) == len(window) or len(window) > most


def test_count_objects_skips_numbers_that_are_left_out() -> None:
    assert count_objects(np.array([[0, 3, 3], [7, 0, 1]], np.int32)) == 3
    assert count_objects(np.zeros((2, 3), np.int32)) == 0


@given(windows, chunk_shapes)
def test_volumes_cover_the_window_once_and_share_no_chunk(window: Block, chunks: tuple[int, ...]) -> None:
    blocks = list(window.volumes(*chunks[:2]))
    assert sorted(plane for block in blocks for plane in block.planes()) == sorted(window.planes())
    assert all(block.z == window.z for block in blocks)
    needed = Counter(
        chunk for block in blocks for chunk in {(p.t // chunks[0], p.c // chunks[1]) for p in block.planes()}
    )
    assert set(needed.values()) == {1}
    assert all(len(block) == len(window.z) for block in window.volumes())


def test_a_window_of_the_idr_image_is_cut_for_two_workers() -> None:
    window = Block(range(261, 271), (0,), range(489, 499))
    size = block_size((128, 135), len(window), 2)
    blocks = list(window.cut((1, 1, 1, 128, 135), size))
    assert size == 50
    assert [(block.t, block.z) for block in blocks] == [
        (range(261, 266), range(489, 499)),
        (range(266, 271), range(489, 499)),
    ]
