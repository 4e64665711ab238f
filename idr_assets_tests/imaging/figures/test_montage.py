"""The montage, read back from the figure's artists and from the PNG."""

from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle
from matplotlib.text import Text
from PIL import Image

from idr_assets.imaging.channels import Channel
from idr_assets.imaging.figures import colours, montage
from idr_assets.imaging.figures.drawing import DPI, render
from idr_assets.imaging.figures.pictures import figure_png
from idr_assets_tests.support.labelled_planes import SHAPE, labelled, window

type Pixels = npt.NDArray[Any]


def texts(figure: Figure) -> list[str]:
    """List what is written on the figure, without what is empty."""
    return [artist.get_text() for artist in figure.findobj(Text) if artist.get_text()]


class Picture:
    """A picture of a figure: its dots, and its left upper corner from that of the figure."""

    def __init__(self, image: AxesImage) -> None:
        self.picture = np.asarray(image.get_array())
        self.x, _, _, self.y = map(round, image.get_extent())


def pictures(figure: Figure) -> list[Picture]:
    """Find the pictures of the figure in the order in which they are drawn: the grey range, then the planes."""
    return [Picture(image) for axes in figure.axes for image in axes.get_images()]


def scale_bars(figure: Figure) -> list[Rectangle]:
    """Find the scale bars of the figure."""
    return [bar for bar in figure.findobj(Rectangle) if bar.get_gid() == "scale bar"]


def opened(png: bytes) -> Pixels:
    """Decode a PNG to RGB (y, x, 3)."""
    return np.asarray(Image.open(BytesIO(png)).convert("RGB"))


def test_each_plane_is_titled_with_its_place_and_number_of_objects() -> None:
    planes = window(2, 2, 3, first=261)
    written = texts(montage.montage(planes, title="demo"))
    assert "demo" in written
    for (t, c, z), plane in planes.items():
        assert plane is not None
        assert f"t {t} c {c} z {z} · {plane.labels.max()}" in written


def test_rows_are_timepoints_columns_are_slices_and_channels_are_groups_of_rows() -> None:
    figure = montage.montage(window(2, 2, 3), title="demo")
    place = {text.get_text()[:9]: text.get_position() for text in figure.findobj(Text)}
    assert place["t 0 c 0 z"][1] < place["t 1 c 0 z"][1] < place["t 0 c 1 z"][1] < place["t 1 c 1 z"][1]
    _, corner, right, _, below, *_ = pictures(figure)
    height, width, _ = corner.picture.shape
    assert right.x > corner.x + width
    assert right.y == corner.y
    assert below.y > corner.y + height
    assert below.x == corner.x


@pytest.mark.parametrize(
    ("grid", "columns", "lines"),
    [
        ((10, 1, 10), 10, 10),
        ((2, 2, 3), 3, 4),
        ((12, 5, 1), 9, 8),
        ((5, 2, 4), 8, 5),
        ((1, 1, 12), 4, 3),
        ((1, 8, 3), 6, 4),
        ((1, 2, 1), 2, 1),
        ((12, 1, 1), 4, 3),
        ((12, 1, 2), 6, 4),
        ((1, 5, 1), 3, 2),
    ],
)
def test_a_sheet_of_few_slices_or_channels_is_about_as_wide_as_high(
    grid: tuple[int, int, int], columns: int, lines: int
) -> None:
    figure = montage.montage(window(*grid, shape=(8, 8)), title="demo")
    places = [text.get_position() for text in figure.findobj(Text) if text.get_text().startswith("t ")]
    assert len(places) == grid[0] * grid[1] * grid[2]
    assert (len({x for x, _ in places}), len({y for _, y in places})) == (columns, lines)


def test_high_planes_are_long_and_their_columns_as_wide_as_their_headings() -> None:
    _, first, second, *_ = pictures(montage.montage(window(5, 1, 10, shape=(300, 20)), title="demo"))
    height, width, _ = first.picture.shape
    assert height > 500
    assert second.x - first.x < 6 * width


def test_the_caption_says_in_which_order_the_planes_of_one_timepoint_lie() -> None:
    assert "Slices Z, row by row." in texts(montage.montage(window(1, 1, 12), title=""))[-1]
    assert "Rows: timepoints T." in texts(montage.montage(window(2, 1, 12), title=""))[-1]


def test_a_montage_has_at_most_twelve_rows_and_columns() -> None:
    for channels, slices in product(range(1, 13), range(1, 13)):
        most = montage.most_timepoints(channels, slices)
        assert 1 <= most <= 12
        beside = max(1, 12 // slices)
        assert channels * -(-most // beside) <= 12
    assert montage.most_timepoints(5, 1) == 12


def test_channels_and_their_intensity_ranges_are_named() -> None:
    planes = window(1, 2, 2)
    written = texts(montage.montage(planes, title="demo"))
    for c in (0, 1):
        drawn = [plane.pixels for key, plane in planes.items() if plane and key[1] == c]
        black, white = colours.contrast(drawn)
        assert f"channel {c}" in written
        assert f"{black:g} to {white:g} a.u." in written
    assert colours.GREY_RANGE in " ".join(written).replace("\n", " ")


def test_a_missing_plane_is_drawn_as_not_materialized_and_has_no_count() -> None:
    planes = window(2, 1, 3)
    planes[1, 0, 1] = None
    del planes[1, 0, 2]
    figure = montage.montage(planes, title="demo")
    written = texts(figure)
    assert written.count("not materialized") == 2
    assert {"t 1 c 0 z 1", "t 1 c 0 z 2"} < set(written)
    assert len([patch for patch in figure.findobj(Rectangle) if patch.get_hatch()]) == 2
    assert any("Hatched" in text for text in written)


def test_a_window_without_any_plane_is_drawn() -> None:
    figure = montage.montage({(0, 0, 0): None, (0, 0, 1): None}, title="demo", pixel_size=0.5)
    written = texts(figure)
    assert not scale_bars(figure)
    assert written.count("not materialized") == 2
    assert not any("a.u." in text for text in written)


def test_a_complete_window_says_nothing_of_missing_planes() -> None:
    assert not any("Hatched" in text for text in texts(montage.montage(window(1, 1, 1), title="demo")))


def test_planes_that_are_left_out_are_counted() -> None:
    figure = montage.montage(window(1, 1, 2), title="demo", omitted=36)
    assert "36 more planes of the window are left out, evenly." in " ".join(texts(figure)).replace("\n", " ")


def test_no_plane_at_all_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"'demo' has no planes, .* at least one key"):
        montage.montage({}, title="demo")


@pytest.mark.parametrize("grid", [(1, 1, 1), (2, 1, 3), (4, 1, 12), (12, 2, 1)])
def test_no_text_is_cut_and_no_title_runs_into_the_next(grid: tuple[int, int, int]) -> None:
    planes = window(*grid, first=1000, shape=(16, 17))
    title = "a rather long title of image 4007801 · gaussian_threshold, sigma 1.0, threshold_fraction 0.33 · level 4"
    figure = montage.montage(planes, title=title, pixel_size=0.8)
    boxes = [text.get_window_extent() for text in figure.findobj(Text) if text.get_text()]
    assert all(figure.bbox.containsx(x) for box in boxes for x in (box.x0, box.x1))
    assert all(figure.bbox.containsy(y) for box in boxes for y in (box.y0, box.y1))
    assert not any(box.count_overlaps(others) for box, others in _each_with_the_others(boxes))


def _each_with_the_others(boxes: list[Any]) -> list[tuple[Any, list[Any]]]:
    return [(box, [other for other in boxes if other is not box]) for box in boxes]


@pytest.mark.parametrize("shape", [SHAPE, (300, 200)])
def test_pixels_of_the_png_are_those_of_the_overlay(shape: tuple[int, int]) -> None:
    plane = labelled(0, 0, 0, shape)
    figure = montage.montage({(0, 0, 0): plane}, title="demo")
    panel = pictures(figure)[1]
    height, width, _ = panel.picture.shape
    drawn = np.asarray(render(figure))[panel.y : panel.y + height, panel.x : panel.x + width]
    shades = colours.grey(plane.pixels, *colours.contrast([plane.pixels]))
    shades, coloured = colours.fit(shades, plane.labels, side=810)
    expected = colours.overlay(shades, coloured, width=max(1, drawn.shape[0] // shape[0] // 2))
    np.testing.assert_array_equal(drawn, expected[..., :3])


def test_a_ten_by_ten_montage_is_printable() -> None:
    figure = montage.montage(window(10, 1, 10), title="demo")
    png = figure_png(render(figure), DPI)
    height, width, _ = opened(png).shape
    assert [width, height] == np.round(figure.get_size_inches() * DPI).tolist()
    assert 2500 < width < 3500
    assert len(png) < 8_000_000


@pytest.mark.parametrize("title", ["", "costs $5 and $x^2", r"\frac {", "<b>bold</b>", "word" * 200])
def test_any_title_is_written_as_it_is(title: str) -> None:
    figure = montage.montage({(0, 0, 0): None}, title=title)
    render(figure)
    assert title.replace(" ", "") in "".join(texts(figure)).replace("\n", "").replace(" ", "")


def test_threads_draw_what_one_thread_draws() -> None:
    def draw(first: int) -> bytes:
        return render(montage.montage(window(1, 1, 6, first=first), title="demo", pixel_size=1)).tobytes()

    with ThreadPoolExecutor(3) as threads:
        assert list(threads.map(draw, range(3))) == [draw(first) for first in range(3)]


def test_a_channel_has_its_name_and_a_square_of_its_colour() -> None:
    known = {0: Channel("DAPI $a$", "0000FF"), 1: Channel("GFP")}
    drawn = montage.montage(window(1, 2, 1), title="demo", channels=known)
    assert {"c 0: DAPI $a$", "c 1: GFP"} <= set(texts(drawn))
    blue = [patch for patch in drawn.findobj(Rectangle) if patch.get_facecolor() == (0, 0, 1, 1)]
    assert len(blue) == 1
    assert any("Square: the colour that the image gives a channel." in text.replace("\n", " ") for text in texts(drawn))
    render(drawn)
