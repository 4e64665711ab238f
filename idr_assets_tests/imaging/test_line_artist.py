"""A line of text, held against what matplotlib draws itself."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from matplotlib.text import Text

from idr_assets.imaging.figures import drawn
from idr_assets.imaging.line_artist import Line
from idr_assets.imaging.panels import empty_sheet

LINES = ["t 1 c 0 z 3 · 11", "t 531 c 1 z 987 · 1204", "agpy"]


def dots(artist: Text, width: int = 400, height: int = 60) -> npt.NDArray[Any]:
    """Draw a figure with `artist` alone."""
    figure = empty_sheet(width, height)
    figure.axes[0].add_artist(artist)
    return drawn(figure)[..., :3]


def edges(dark: npt.NDArray[np.bool_]) -> list[int]:
    """Give the first and the last row and column with anything dark."""
    rows, columns = np.nonzero(dark)
    return [int(edge) for edge in (rows.min(), rows.max(), columns.min(), columns.max())]


@pytest.mark.parametrize("text", LINES)
@pytest.mark.parametrize("size", [7, 10])
def test_a_line_stands_where_matplotlib_puts_it_and_is_as_dark(text: str, size: int) -> None:
    ours, theirs = (dots(artist(20, 40, text, fontsize=size, color="black")) for artist in (Line, Text))
    *start, end = edges(ours.min(axis=2) < 128)
    *expected_start, expected_end = edges(theirs.min(axis=2) < 128)
    assert start == pytest.approx(expected_start, abs=1)
    assert end == pytest.approx(expected_end, abs=5)  # letters of Pillow stand on whole dots
    assert (255 - ours).sum() == pytest.approx((255 - theirs).sum(), rel=0.1)


def test_a_line_has_its_colour_and_lets_the_ground_through_beside_its_letters() -> None:
    figure = empty_sheet(400, 60)
    figure.set_facecolor("yellow")
    figure.axes[0].add_artist(Line(20, 40, "t 1", color="blue"))
    found = {tuple(dot) for dot in drawn(figure)[..., :3].reshape(-1, 3).tolist()}
    assert {(255, 255, 0), (0, 0, 255)} < found
    assert all(abs(red - green) <= 1 and abs(red + blue - 255) <= 1 for red, green, blue in found)


@pytest.mark.parametrize(
    "place", [(20, 40), (-30, 40), (380, 40), (20, 5), (20, 70), (900, 40), (20, -90), (-900, 300)]
)
def test_what_lies_beyond_the_figure_is_left_out(place: tuple[int, int]) -> None:
    x, y = place
    large = dots(Line(x + 1000, y + 100, LINES[1]), 3000, 500)
    assert np.array_equal(dots(Line(x, y, LINES[1])), large[100:160, 1000:1400])


def test_a_line_without_letters_is_nothing() -> None:
    assert (dots(Line(20, 40, "")) == 255).all()
