"""What the plots of a figure have in common: lines of channels, ticks, titles."""

from collections.abc import Iterator
from itertools import product
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from idr_assets.imaging.panels import INK

COLOURS: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
"""Of channels: Okabe and Ito's."""

LABEL: Final[dict[str, Any]] = {"fontsize": 8, "color": INK}
NUMBER: Final = "{x:,.12g}"
"""Format of a number without exponent and without the last digits, which are rounding."""

_DASHES = ("-", "--")  # of as many channels as there are colours, each


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
