"""Text and pictures on a sheet, whose lengths are dots of `DPI`."""

from functools import cache
from typing import Any, Final

from matplotlib.font_manager import FontProperties

from idr_assets.imaging.figures.drawing import DPI, INK
from idr_assets.imaging.figures.palette import Bytes
from idr_assets.imaging.figures.plotting import Axes, Figure, FigureCanvasAgg

NUMBER_MARK: Final = " · "
"""Stands between the name of a panel and its number of objects."""


def write(axes: Axes, x: float, y: float, text: str, **style: Any) -> None:  # noqa: ANN401 - matplotlib's own
    """Write text literally: `$` does not start mathematics."""
    axes.text(x, y, text, parse_math=False, **({"color": INK} | style))


def draw_picture(axes: Axes, x: int, y: int, picture: Bytes) -> None:
    """Draw a picture, each of its pixels a dot."""
    height, width = picture.shape[:2]
    axes.imshow(picture, extent=(x, x + width, y + height, y), aspect="auto", interpolation="nearest")


def text_width(text: str, size: float, weight: str = "normal") -> int:
    """Return how many dots a line takes, in matplotlib's default font."""
    font = FontProperties(size=size, weight=weight)
    width: float = _renderer().get_text_width_height_descent(text, font, ismath=False)[0]
    return round(width)


def fit_text(text: str, room: int, size: float, weight: str = "normal") -> str:
    """Cut a name to what has room; the number of objects behind it stays."""
    name, mark, number = text.rpartition(NUMBER_MARK) if NUMBER_MARK in text else (text, "", "")
    short = text
    while text_width(short, size, weight) > room and name:
        name = name[:-1]
        short = f"{name.rstrip()}…{mark}{number}"
    return short


@cache
def _renderer() -> Any:  # noqa: ANN401 - matplotlib's own, without types
    return FigureCanvasAgg(Figure((0.1, 0.1), dpi=DPI)).get_renderer()  # type: ignore[no-untyped-call]
