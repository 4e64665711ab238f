"""The bars of a histogram of areas: what stands apart, and what does not."""

import numpy as np
import pytest

from idr_assets.imaging.figures.area_bars import bar_edges


def bars(areas: list[int]) -> list[int]:
    """Count the objects of each bar as the figure does, without the bars of none."""
    edges = bar_edges(np.array(areas))
    counts, _ = np.histogram(np.minimum(areas, edges[-1] - 1), edges)
    return [count for count in counts.tolist() if count]


@pytest.mark.parametrize(
    ("areas", "wanted"),
    [
        ([5], [1]),
        ([165, 400], [1, 1]),
        ([4, 4, 400], [2, 1]),
        ([*range(1, 20), 10_000], [1] * 20),
        ([4] * 400 + [500], [400, 1]),
    ],
    ids=["one", "two", "three", "one of twenty far larger", "all others alike"],
)
def test_objects_that_differ_much_are_never_in_one_bar(areas: list[int], wanted: list[int]) -> None:
    assert bars(areas) == wanted


@pytest.mark.parametrize("objects", [1, 2, 19, 20, 200, 201, 5000])
def test_bars_are_few_of_the_same_width_and_hold_every_object(objects: int) -> None:
    areas = np.random.default_rng(objects).lognormal(5, 1, objects).astype(int) + 1
    edges = bar_edges(areas)
    assert sum(bars(areas.tolist())) == objects
    assert edges[0] == areas.min()
    assert len(set(np.diff(edges).tolist())) == 1
    assert len(edges) <= 42
