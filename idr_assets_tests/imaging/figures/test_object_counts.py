"""The figure of object counts, read back from its artists."""

from itertools import pairwise
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.patches import StepPatch

from idr_assets.imaging.channels import Channel
from idr_assets.imaging.figures.drawing import svg
from idr_assets.imaging.figures.object_counts import counts_figure
from idr_assets.imaging.figures.plane_areas import areas_figure
from idr_assets.imaging.planes import Block, Plane

WINDOW = Block(range(5, 8), (0, 2), range(20, 24))
MISSING, EMPTY = Plane(6, 2, 21), Plane(5, 0, 23)
COUNTS = {plane: 10 * plane.t + plane.z for plane in WINDOW.planes() if plane != MISSING} | {EMPTY: 0}
THINNED = [0, 6, 11, 17, 23, 29, 34, 40, 46, 52, 57, 63]
AREAS = {0: np.array([4, 4, 5, 90]), 2: np.array([7, 170])}


def figure(window: Block = WINDOW, pixel_area: float | None = None) -> Figure:
    counts = COUNTS if window is WINDOW else dict.fromkeys(window.planes(), 1234)
    return counts_figure(counts, AREAS, window, title="demo", pixel_area=pixel_area)


def many_channels(channels: int) -> Figure:
    """Draw so many channels, each with one object."""
    window = Block(range(2), tuple(range(channels)), range(2))
    areas = {c: np.array([9 + c]) for c in window.c}
    return counts_figure(dict.fromkeys(window.planes(), 7), areas, window, title="demo")


def axes_of(drawn: Figure, title: str) -> Axes:
    (found,) = (axes for axes in drawn.axes if axes.get_title(loc="left") == title)
    return found


def test_a_cell_of_the_heat_map_is_the_count_of_its_plane_at_its_true_indices() -> None:
    for c in WINDOW.c:
        (heat_map,) = axes_of(figure(), f"channel {c}").get_images()
        wanted = [[COUNTS.get(Plane(t, c, z), -1) for z in WINDOW.z] for t in WINDOW.t]
        assert np.ma.asarray(heat_map.get_array()).filled(-1).tolist() == wanted
        assert list(heat_map.get_extent()) == [19.5, 23.5, 7.5, 4.5]


def test_a_missing_plane_is_hatched_and_a_plane_without_objects_has_the_colour_of_zero() -> None:
    drawn = figure()
    full, gap = axes_of(drawn, "channel 0"), axes_of(drawn, "channel 2")
    assert [bool(it.findobj(lambda artist: artist.get_gid() == "missing")) for it in (full, gap)] == [False, True]
    (heat_map,) = gap.get_images()
    assert heat_map.get_clim() == (0, max(COUNTS.values()))
    colours = heat_map.to_rgba(np.ma.masked_equal([0, -1], -1))
    assert (colours[0, 3], colours[1, 3]) == (1, 0)


def test_means_are_of_the_planes_that_are_there() -> None:
    lines = {str(line.get_label()): line for line in axes_of(figure(), "mean over z").get_lines()}
    assert lines.keys() == {"c 0", "c 2"}
    assert np.asarray(lines["c 2"].get_xdata()).tolist() == [5, 6, 7]
    wanted = [50 + 21.5, 60 + (20 + 22 + 23) / 3, 70 + 21.5]
    assert np.asarray(lines["c 2"].get_ydata()).tolist() == pytest.approx(wanted)


@pytest.mark.parametrize(("t", "z", "name"), [(1, 12, "slice z"), (12, 1, "timepoint t")])
def test_of_a_single_timepoint_or_slice_a_line_stands_for_heat_maps(t: int, z: int, name: str) -> None:
    window = Block(range(30, 30 + t), (0,), range(88, 88 + z))
    counts = {plane: plane.t + plane.z for plane in window.planes()[:-1]}
    drawn = counts_figure(counts, AREAS, window, title="demo")
    axes = axes_of(drawn, "objects")
    (line,) = axes.get_lines()
    assert axes.get_xlabel() == f"{name} (index)"
    assert np.asarray(line.get_xdata()).tolist() == list(window.z if t == 1 else window.t)
    assert np.asarray(line.get_ydata())[:-1].tolist() == list(counts.values())
    assert not [axes for axes in drawn.axes if axes.get_images()]
    assert drawn.get_supxlabel().endswith("Planes not measured have no dot.")


@pytest.mark.parametrize(("t", "z"), [(2, 12), (500, 900)])
def test_tick_labels_of_a_window_of_any_size_are_whole_and_lie_apart(t: int, z: int) -> None:
    drawn = figure(Block(range(30, 30 + t), (0,), range(88, 88 + z)))
    canvas = FigureCanvasAgg(drawn)
    canvas.draw()  # type: ignore[no-untyped-call]
    axes = axes_of(drawn, "channel 0")
    for axis, indices, ends in ((axes.xaxis, range(88, 88 + z), "x"), (axes.yaxis, range(30, 30 + t), "y")):
        inside = [tick for tick in axis.get_major_ticks() if tick.get_loc() in indices]
        assert len(inside) > min(2, len(indices) - 1)
        places = sorted(getattr(tick.label1.get_window_extent(), f"interval{ends}").tolist() for tick in inside)
        assert all(first[1] < second[0] for first, second in pairwise(places))


def test_of_many_channels_some_are_left_out_evenly_and_the_caption_says_so() -> None:
    drawn = many_channels(64)
    titles = [axes.get_title(loc="left") for axes in drawn.axes]
    assert [title for title in titles if title.startswith("channel")] == [f"channel {c}" for c in THINNED]
    assert "areas of 12 objects" in titles
    assert "52 more channels are left out, evenly" in drawn.get_supxlabel().replace("\n", " ")
    assert "left out, evenly" not in many_channels(12).get_supxlabel()


def test_the_lines_of_channels_differ_and_the_legend_lies_over_none() -> None:
    drawn = many_channels(12)
    lines = axes_of(drawn, "mean over z").get_lines()
    bars = [it for it in drawn.findobj(StepPatch) if isinstance(it, StepPatch)]
    assert len({(line.get_linestyle(), line.get_color()) for line in lines}) == 12
    assert len({(bar.get_linestyle(), bar.get_edgecolor()) for bar in bars}) == 12
    FigureCanvasAgg(drawn).draw()  # type: ignore[no-untyped-call]
    (legend,) = drawn.findobj(Legend)
    assert isinstance(legend, Legend)
    assert [text.get_text() for text in legend.get_texts()] == [f"c {c}" for c in range(12)]
    others = [axes.get_tightbbox() for axes in drawn.axes if axes is not legend.axes]
    assert legend.get_window_extent().count_overlaps([box for box in others if box]) == 0


def test_a_figure_of_one_channel_has_no_legend() -> None:
    assert not many_channels(1).findobj(Legend)


def test_the_highest_mean_lies_below_the_top() -> None:
    axes = axes_of(figure(), "mean over z")
    assert axes.get_ylim()[1] > 1.05 * max(np.max(np.asarray(line.get_ydata())) for line in axes.get_lines())


@pytest.mark.parametrize("title", ["n" * 120, "a name of several words " * 12, "demo"])
def test_a_long_title_is_wrapped(title: str) -> None:
    drawn = counts_figure({EMPTY: 1}, {0: np.array([9])}, EMPTY.block, title=title)
    FigureCanvasAgg(drawn).draw()  # type: ignore[no-untyped-call]
    (written,) = [text for text in drawn.texts if text.get_text() == drawn.get_suptitle()]
    box = written.get_window_extent()
    assert written.get_text().replace("\n", "").replace(" ", "") == title.replace(" ", "")
    assert drawn.bbox.x0 <= box.x0 < box.x1 <= drawn.bbox.x1
    assert box.y1 <= drawn.bbox.y1
    assert box.count_overlaps([around for axes in drawn.axes if (around := axes.get_tightbbox())]) == 0


def test_the_svg_is_one_document_of_the_same_bytes_each_time() -> None:
    first, second = svg(figure()), svg(figure())
    assert first == second
    document = ET.fromstring(first)  # noqa: S314  made here
    assert document.tag.endswith("svg")
    assert len(list(document.iter("{http://www.w3.org/2000/svg}image"))) >= len(WINDOW.c)
    assert not list(document.iter("{http://purl.org/dc/elements/1.1/}date"))


def test_means_are_counted_in_ones_twos_or_fives() -> None:
    axes = axes_of(counts_figure(dict.fromkeys(WINDOW.planes(), 19), AREAS, WINDOW, title="demo"), "mean over z")
    assert axes.get_yticks()[1] - axes.get_yticks()[0] in {1, 2, 5}


def test_channels_have_their_names_in_headings_and_legend_literally() -> None:
    known = {0: Channel("$x$ DAPI"), 2: Channel("$")}
    drawn = counts_figure(COUNTS, AREAS, WINDOW, title="demo", channels=known)
    assert axes_of(drawn, "c 0: $x$ DAPI")
    (legend,) = drawn.findobj(Legend)
    assert [text.get_text() for text in legend.get_texts()] == [r"c 0 \$x\$ DAPI", r"c 2 \$"]
    svg(drawn)


def test_of_a_single_plane_areas_and_numbers_are_shown() -> None:
    window = Block(range(5, 6), (0, 2), range(20, 21))
    drawn = areas_figure({Plane(5, 0, 20): 4}, AREAS, window, title="demo", channels={2: Channel("DAPI")})
    (axes,) = drawn.axes
    assert axes.get_title(loc="left") == "areas of 6 objects"
    assert "Objects of t 5, z 20" in drawn.get_supxlabel()
    assert drawn.get_supxlabel().endswith("channel 0: 4; c 2: DAPI: not measured.")
