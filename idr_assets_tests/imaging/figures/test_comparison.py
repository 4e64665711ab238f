"""Segmentations side by side, read back from the figure's artists."""

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from idr_assets.imaging.figures import colours
from idr_assets.imaging.figures.comparison import comparison
from idr_assets.imaging.figures.drawing import render
from idr_assets_tests.imaging.figures.test_montage import pictures
from idr_assets_tests.support.labelled_planes import labelled

ROWS = {(t, 0, 3): [labelled(t, 0, 3), labelled(t + 1, 0, 3)] for t in (1, 2)}
NAMES = ["notebook", "otsu"]


def place_of(figure: Figure, text: str) -> tuple[float, float]:
    """Find where a text stands that is written once."""
    (found,) = (artist for artist in figure.findobj(Text) if artist.get_text() == text)
    x, y = found.get_position()
    return float(x), float(y)


def test_each_row_is_a_plane_and_each_column_a_segmentation_with_its_count() -> None:
    figure = comparison(ROWS, NAMES, title="demo")
    left, top = place_of(figure, "t 1 c 0 z 3")
    assert place_of(figure, "t 2 c 0 z 3")[0] == left
    assert place_of(figure, "t 2 c 0 z 3")[1] > top
    assert left < place_of(figure, "notebook · 5")[0] < place_of(figure, "otsu · 7")[0]
    assert place_of(figure, "otsu · 6")[1] == top


def test_pixels_stand_alone_before_the_labels_of_each() -> None:
    alone, first, second = pictures(comparison(ROWS, NAMES, title="demo"))[1:4]
    assert not np.ptp(alone.picture[..., :3], axis=2).any()  # grey
    assert all(np.ptp(it.picture[..., :3], axis=2).any() for it in (first, second))


def test_planes_of_a_channel_share_one_range_of_greys() -> None:
    figure = comparison(ROWS, NAMES, title="demo")
    black, white = colours.contrast([it.pixels for first, other in ROWS.values() for it in (first, first, other)])
    written = " ".join(artist.get_text() for artist in figure.findobj(Text)).replace("\n", " ")
    assert f"{black:.6g} to {white:.6g} a.u." in written
    for row, found in zip(ROWS.values(), pictures(figure)[1::3], strict=True):
        shades, _ = colours.fit(colours.grey(row[0].pixels, black, white), row[0].labels, max(found.picture.shape))
        assert np.array_equal(found.picture[..., 0], shades)


def test_rows_are_grouped_by_channel() -> None:
    rows = {(t, c, 3): [labelled(t, c, 3)] * 2 for t in (1, 2) for c in (0, 4)}
    figure = comparison(rows, NAMES, title="demo")
    order = ["channel 0", "t 1 c 0 z 3", "t 2 c 0 z 3", "channel 4", "t 1 c 4 z 3", "t 2 c 4 z 3"]
    assert sorted(order, key=lambda text: place_of(figure, text)[1]) == order


def test_a_long_title_is_wrapped_within_the_figure() -> None:
    figure = comparison(ROWS, NAMES, title="a name of several words " * 12, pixel_size=0.5)
    render(figure)
    boxes = [text.get_window_extent() for text in figure.findobj(Text) if text.get_text()]
    assert all(figure.bbox.containsx(x) for box in boxes for x in (box.x0, box.x1))
    assert not any(box.count_overlaps([other for other in boxes if other is not box]) for box in boxes)


def test_what_is_not_segmented_is_drawn_as_such() -> None:
    figure = comparison({(1, 0, 3): [None, labelled(1, 0, 3)], (2, 0, 3): [None, None]}, NAMES, title="demo")
    written = [artist.get_text() for artist in figure.findobj(Text)]
    assert written.count("not materialized") == 4
    assert "otsu · 5" in written
    assert any("Hatched" in text for text in written)
    assert render(figure).width > 1200
    assert not any("Hatched" in artist.get_text() for artist in comparison(ROWS, NAMES, title="").findobj(Text))


def test_planes_that_are_left_out_are_counted() -> None:
    figure = comparison(ROWS, NAMES, title="demo", omitted=94)
    written = " ".join(artist.get_text() for artist in figure.findobj(Text)).replace("\n", " ")
    assert "94 more planes of the window are left out, evenly." in written


def test_a_scale_bar_where_the_pixel_size_is_known() -> None:
    bar = comparison(ROWS, NAMES, title="demo", pixel_size=0.5).findobj(lambda artist: artist.get_gid() == "scale bar")
    assert len(bar) == 1
    assert not comparison(ROWS, NAMES, title="demo").findobj(lambda artist: artist.get_gid() == "scale bar")


def test_nothing_to_compare_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"'demo' has no planes, so there is nothing to draw: give at least one"):
        comparison({}, NAMES, title="demo")
