"""What all figures share: colours, matplotlib's settings, axes, and rendering."""

import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from itertools import product
from threading import RLock
from typing import Any, Final

import numpy as np
from PIL import Image

from idr_assets.imaging.figures.plotting import Axes, Figure, FigureCanvasAgg, FigureCanvasSVG, MaxNLocator, mpl

DPI: Final = 216
INK, FAINT, PAPER = "#1a1a1a", "#5f5f5f", "#f4f4f4"
COLOURS: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
"""Colours of channels, by Okabe and Ito."""

LABEL: Final[dict[str, Any]] = {"fontsize": 8, "color": INK}
NUMBER: Final = "{x:,.12g}"
"""Format of a number without an exponent and without rounding errors in the last digits."""

_LINE = 175  # letters in a line of the caption of a figure of plots
_DASHES = ("-", "--")  # of each group of channels that uses all colours
_DEFAULTS = {name: value for name, value in mpl.rcParamsDefault.items() if not name.startswith("backend")}
_DEFAULTS["svg.hashsalt"] = "idr_assets"  # by default, names of elements are random
_ALONE = RLock()  # matplotlib's settings belong to the whole process


@contextmanager
def default_style() -> Iterator[None]:
    """Use matplotlib's default settings, whatever a user's `matplotlibrc` says, in one thread at a time.

    Needed both to make a figure and to render it: matplotlib reads its settings in both.
    """
    with _ALONE, mpl.rc_context(_DEFAULTS):
        yield


@default_style()
def render(figure: Figure) -> Image.Image:
    """Render a figure as an RGB picture of `figure.dpi` dots per inch."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # type: ignore[no-untyped-call]
    return Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")  # type: ignore[no-untyped-call]


@default_style()
def svg(figure: Figure) -> bytes:
    """Encode a figure as SVG: heat maps as pictures, lines as lines, text as outlines."""
    stream = BytesIO()
    FigureCanvasSVG(figure).print_svg(stream, metadata={"Date": None})  # type: ignore[no-untyped-call]
    return stream.getvalue()


def styles() -> Iterator[dict[str, Any]]:
    """Yield the line style of each channel, in order."""
    return ({"linestyle": dashes, "color": colour} for dashes, colour in product(_DASHES, COLOURS))


def indices() -> MaxNLocator:
    """Place ticks at whole numbers, as many as fit."""
    return MaxNLocator(nbins=10, steps=[1, 2, 5, 10], integer=True, min_n_ticks=1)


def write_frame(figure: Figure, headline: list[str], caption: str) -> None:
    """Write the title above a figure, and the caption below it."""
    left: dict[str, Any] = {"x": 0.01, "horizontalalignment": "left", "parse_math": False}
    figure.suptitle("\n".join(headline), fontsize=10, fontweight="bold", color=INK, **left)
    figure.supxlabel("\n".join(textwrap.wrap(caption, _LINE)), fontsize=7, color=FAINT, **left)


def name_axes(axes: Axes, title: str, x: str, y: str) -> None:
    """Set the title of axes and the labels of x and y, which state the units."""
    axes.set_title(title, loc="left", fontsize=8.5, fontweight="bold", color=INK, parse_math=False)
    axes.set_xlabel(x, **LABEL)
    axes.set_ylabel(y, **LABEL)
    axes.tick_params(labelsize=7.5)
