"""What all figures have in common: inks, settings of their own, plots of channels, and how they are rendered."""

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
"""Of channels: Okabe and Ito's."""

LABEL: Final[dict[str, Any]] = {"fontsize": 8, "color": INK}
NUMBER: Final = "{x:,.12g}"
"""Format of a number without exponent and without the last digits, which are rounding."""

_DASHES = ("-", "--")  # of as many channels as there are colours, each
_DEFAULTS = {name: value for name, value in mpl.rcParamsDefault.items() if not name.startswith("backend")}
_ALONE = RLock()  # matplotlib's settings are those of the whole process


@contextmanager
def default_style() -> Iterator[None]:
    """Draw with matplotlib's own settings, whatever a user's `matplotlibrc` says, one thread at a time.

    Both what makes a figure and what renders one needs it: matplotlib reads settings in both.
    """
    with _ALONE, mpl.rc_context(_DEFAULTS):
        yield


@default_style()
def render(figure: Figure) -> Image.Image:
    """Return a figure as an RGB picture, `figure.dpi` dots an inch."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # type: ignore[no-untyped-call]
    return Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")  # type: ignore[no-untyped-call]


@default_style()
def svg(figure: Figure) -> bytes:
    """Encode a figure as SVG, whose heat maps are pictures and all else is lines and text as outlines."""
    stream = BytesIO()
    FigureCanvasSVG(figure).print_svg(stream, metadata={"Date": None})  # type: ignore[no-untyped-call]
    return stream.getvalue()


def styles() -> Iterator[dict[str, Any]]:
    """Give the line of each channel, in their order."""
    return ({"linestyle": dashes, "color": colour} for dashes, colour in product(_DASHES, COLOURS))


def indices() -> MaxNLocator:
    """Place ticks at whole numbers, as many as there is room for."""
    return MaxNLocator(nbins=10, steps=[1, 2, 5, 10], integer=True, min_n_ticks=1)


def name_axes(axes: Axes, title: str, x: str, y: str) -> None:
    """Write what an axes shows, and along its sides what of, with the unit."""
    axes.set_title(title, loc="left", fontsize=8.5, fontweight="bold", color=INK)
    axes.set_xlabel(x, **LABEL)
    axes.set_ylabel(y, **LABEL)
    axes.tick_params(labelsize=7.5)
