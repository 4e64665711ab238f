"""The histogram of areas, read back from the figure's artists."""

from itertools import pairwise

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.patches import StepPatch

from idr_assets.imaging.figures.object_counts import counts_figure
from idr_assets.imaging.planes import Block
from idr_assets_tests.imaging.figures.test_object_counts import AREAS, EMPTY, axes_of, figure


@pytest.mark.parametrize(("pixel_area", "unit"), [(None, "pixels"), (0.25, "µm²")])
def test_every_object_is_in_the_histogram_in_square_micrometres_where_known(
    pixel_area: float | None, unit: str
) -> None:
    axes = axes_of(figure(pixel_area=pixel_area), "areas of 6 objects")
    assert axes.get_xlabel() == f"area ({unit})"
    for bars, areas in zip(axes.findobj(StepPatch), AREAS.values(), strict=True):
        assert isinstance(bars, StepPatch)
        values, edges, _ = bars.get_data()
        assert values.tolist() == np.histogram(areas * (pixel_area or 1), edges)[0].tolist()
        assert values.sum() == areas.size


@pytest.mark.parametrize(("size", "pixel_area"), [(60, None), (60, 0.0625), (800_000, None), (10**9, 0.1)])
def test_tick_labels_of_areas_of_any_size_lie_apart_and_have_no_exponent(size: int, pixel_area: float | None) -> None:
    areas = {0: np.random.default_rng(0).normal(size, size / 4, 1000).clip(1).astype(np.int64)}
    drawn = counts_figure({EMPTY: 1000}, areas, EMPTY.block, title="demo", pixel_area=pixel_area)
    FigureCanvasAgg(drawn).draw()  # type: ignore[no-untyped-call]
    axes = axes_of(drawn, "areas of 1,000 objects")
    labels = [tick.label1 for tick in axes.xaxis.get_major_ticks() if tick.get_loc() <= axes.get_xlim()[1]]
    assert len(labels) > 1
    assert not any("e" in label.get_text() for label in labels)
    places = [label.get_window_extent().intervalx.tolist() for label in labels]
    assert all(first[1] + 5 < second[0] for first, second in pairwise(places))


def test_one_object_far_larger_than_all_others_is_in_the_last_bar_which_says_so() -> None:
    areas = np.append(np.arange(1, 401), 100_000)
    drawn = counts_figure({EMPTY: 401}, {0: areas}, EMPTY.block, title="demo", pixel_area=0.5)
    axes = axes_of(drawn, "areas of 401 objects")
    (bars,) = axes.findobj(StepPatch)
    assert isinstance(bars, StepPatch)
    values, edges, _ = bars.get_data()
    assert (values.sum(), values[-1]) == (401, sum(areas * 0.5 >= edges[-2]))
    assert edges[-1] < 210
    assert axes.get_xlabel() == f"area (µm²); the last bar is of {edges[-2]:g} and larger"


def test_channels_whose_objects_differ_much_in_size_have_bars_each() -> None:
    areas = {0: np.arange(20, 60), 1: np.arange(20_000, 60_000, 500)}
    drawn = counts_figure({EMPTY: 120}, areas, Block(EMPTY.block.t, (0, 1), EMPTY.block.z), title="demo")
    axes = axes_of(drawn, "areas of 120 objects")
    for bars, values in zip(axes.findobj(StepPatch), areas.values(), strict=True):
        assert isinstance(bars, StepPatch)
        heights, edges, _ = bars.get_data()
        assert heights[heights >= 1].sum() == values.size
        assert np.count_nonzero(heights >= 1) > 4
    assert (axes.get_xscale(), len(edges)) == ("log", 41)


def test_one_object_is_one() -> None:
    assert axes_of(counts_figure({EMPTY: 1}, {0: np.array([9])}, EMPTY.block, title="demo"), "areas of 1 object")


def test_no_object_at_all_is_said() -> None:
    drawn = counts_figure({EMPTY: 0}, {0: np.zeros(0, np.int64)}, EMPTY.block, title="demo")
    assert "no objects" in [text.get_text() for text in axes_of(drawn, "areas of 0 objects").texts]


@pytest.mark.parametrize("most", [10, 7000])
def test_the_bar_of_a_single_object_is_seen(most: int) -> None:
    areas = {0: np.append(np.full(most, 100), 190)}
    drawn = counts_figure({EMPTY: most + 1}, areas, EMPTY.block, title="demo")
    canvas = FigureCanvasAgg(drawn)
    canvas.draw()  # type: ignore[no-untyped-call]
    dots = np.asarray(canvas.buffer_rgba())[::-1, :, :3]  # type: ignore[no-untyped-call]
    axes = axes_of(drawn, f"areas of {most + 1:,} objects")
    for area, seen in ((191, True), (150, False)):
        x, y = axes.transData.transform((area, 0)).astype(int)
        assert (dots[y : y + 3, x] == (0, 114, 178)).all(-1).any() == seen
