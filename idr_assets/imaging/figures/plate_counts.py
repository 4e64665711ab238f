"""The figure of how many objects the wells of a plate have: a map in the layout of the plate for each channel."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from idr_assets.imaging.channels import UNNAMED, Channel, title_channel
from idr_assets.imaging.figures.drawing import COLOURS, DPI, FAINT, INK, LABEL, NUMBER, PAPER, default_style, name_axes
from idr_assets.imaging.figures.plotting import Axes, Figure, MaxNLocator, Rectangle
from idr_assets.imaging.planes import evenly_spread
from idr_assets.imaging.wells import Well

CHANNELS: Final = 6
"""At most so many channels are drawn, evenly spread."""

TREATMENTS: Final = 3
"""At most so many columns of the layout are drawn, and at most so many values of each:"""
VALUES: Final = 12

_CAPTION = "Maps: each cell is a well, its colour and number the mean number of objects in its measured planes."
_MISSING = " Hatched: wells that are not measured."
_UNNAMED = " Outlines: wells that the YAML does not name."
_DOTS = " Dots: wells by what the layout says of them; the line is their mean."
_WIDTH, _PLOT, _EXTRA = 9.0, 2.4, 0.9  # inches: width, height of a plot below the maps, and of title and caption
_NUMBERS = 400  # wells up to which each shows its number

type Means = Mapping[Well, float]


@default_style()
def plate_counts_figure(
    means: Mapping[int, Means],
    wells: Sequence[Well],
    layout: Mapping[str, Mapping[Well, str]],
    *,
    title: str,
    known: Mapping[int, Channel] = UNNAMED,
) -> Figure:
    """Draw a map for each channel, and below the numbers of the first channel by what is in the wells.

    Parameters
    ----------
    means
        Mean number of objects in a plane, by channel and well. A well that is absent is drawn as not measured.
    wells
        The wells to draw.
    layout
        What is in the wells, by the names of the layout's columns.
    title
        Printed above the figure.
    known
        Names of channels, as far as they are known.
    """
    channels = evenly_spread([*means], CHANNELS)
    shown = dict(list(layout.items())[:TREATMENTS])
    rows, columns = (range(max(getattr(it, axis) for it in wells) + 1) for axis in ("row", "column"))
    map_height = max(1.6, 0.85 * _WIDTH * len(rows) / len(columns) * 0.9)
    heights = [map_height] * len(channels) + [_PLOT] * bool(shown)
    figure = Figure((_WIDTH, sum(heights) + _EXTRA), dpi=DPI, facecolor="white")
    figure.set_layout_engine("constrained", w_pad=0.1)
    grid = figure.add_gridspec(len(heights), max(1, len(shown)), height_ratios=heights)
    most = max([1.0, *(mean for of_wells in means.values() for mean in of_wells.values())])
    for at, c in enumerate(channels):
        heading = title_channel(c, known)
        _draw_map(figure.add_subplot(grid[at, :]), means[c], wells, (len(rows), len(columns)), heading, most)
    for at, (name, values) in enumerate(shown.items()):
        _draw_treatment(
            figure.add_subplot(grid[-1, at]), means[channels[0]], values, name, title_channel(channels[0], known)
        )
    missing = any(well not in means[c] for c in channels for well in wells)
    notes = [(_MISSING, missing), (_UNNAMED, len(wells) < len(rows) * len(columns)), (_DOTS, shown)]
    caption = _CAPTION + "".join(note for note, holds in notes if holds)
    left: dict[str, Any] = {"x": 0.01, "horizontalalignment": "left", "parse_math": False}
    figure.suptitle("\n".join(textwrap.wrap(title, 80)), fontsize=11, fontweight="bold", color=INK, **left)
    figure.supxlabel("\n".join(textwrap.wrap(caption, 130)), fontsize=9, color=FAINT, **left)
    return figure


def _draw_map(  # noqa: PLR0913, PLR0917
    axes: Axes, means: Means, wells: Sequence[Well], shape: tuple[int, int], heading: str, most: float
) -> None:
    cells = np.full(shape, np.nan)
    for well, mean in means.items():
        cells[well.row, well.column] = mean
    drawn = axes.imshow(np.ma.masked_invalid(cells), cmap="viridis", vmin=0, vmax=most, interpolation="nearest")
    hatched: dict[str, Any] = {"facecolor": PAPER, "edgecolor": "#b4b4b4", "hatch": "////", "linewidth": 0}
    for well in (Well(row, column) for row in range(shape[0]) for column in range(shape[1])):
        place = well.column - 0.5, well.row - 0.5
        if well not in wells:
            axes.add_patch(Rectangle(place, 1, 1, gid="unnamed", fill=False, edgecolor="#d0d0d0", linewidth=0.8))
            continue
        if well not in means:
            axes.add_patch(Rectangle(place, 1, 1, gid="missing", **hatched))
        elif len(wells) <= _NUMBERS:
            ink = "white" if means[well] < 0.6 * most else "black"
            text = f"{means[well]:.3g}"
            size = min(10.0, 150 / shape[1])
            axes.text(well.column, well.row, text, ha="center", va="center", fontsize=size, color=ink)
        axes.add_patch(Rectangle(place, 1, 1, fill=False, edgecolor="white", linewidth=0.8))
    name_axes(axes, heading, "", "")
    axes.xaxis.tick_top()
    axes.set_xticks(range(shape[1]), [str(column + 1) for column in range(shape[1])])
    axes.set_yticks(range(shape[0]), [Well(row, 0).row_name for row in range(shape[0])])
    axes.tick_params(length=0, labelsize=min(10, 200 / shape[1]))
    axes.spines[:].set_visible(False)
    bar = axes.figure.colorbar(drawn, ax=axes, format=NUMBER, pad=0.015, aspect=25)
    bar.set_label("objects per plane", **LABEL)
    bar.ax.tick_params(labelsize=9)


def _draw_treatment(axes: Axes, means: Means, values: Mapping[Well, str], name: str, channel: str) -> None:
    """Draw the number of objects of each well by what is in it, with the mean of each value."""
    of_value: dict[str, list[float]] = {}
    for well, mean in sorted(means.items()):
        of_value.setdefault(values.get(well, "") or "(empty)", []).append(mean)
    shown = dict(list(of_value.items())[:VALUES])
    for at, found in enumerate(shown.values()):
        aside = at + np.linspace(-0.2, 0.2, len(found)) if len(found) > 1 else [at]
        axes.plot(aside, found, ".", color=COLOURS[at % len(COLOURS)], markersize=4, clip_on=False)
        axes.plot([at - 0.3, at + 0.3], [np.mean(found)] * 2, color=INK, linewidth=1)
    more = f" ({len(of_value) - len(shown)} more values left out)" if len(of_value) > len(shown) else ""
    name_axes(axes, f"by {name}{more}", "", f"objects per plane\n{channel}")
    axes.yaxis.label.set_parse_math(parse_math=False)
    axes.title.set_parse_math(parse_math=False)
    names = axes.set_xticks(range(len(shown)), [textwrap.shorten(value, 16, placeholder="…") for value in shown])
    for tick in axes.get_xticklabels():
        tick.set(rotation=30, ha="right", parse_math=False)
    del names
    axes.set_ylim(0, max(1.0, axes.dataLim.y1) * 1.08)
    axes.set_xlim(-0.6, len(shown) - 0.4)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=6, steps=[1, 2, 5, 10]))
    axes.spines[["top", "right"]].set_visible(False)
