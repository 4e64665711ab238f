"""The figure of how many objects there are over T x Z, and how large they are. `area_bars` draws the areas."""

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from idr_assets.imaging.channels import UNNAMED, Channel, shorten, title_channel
from idr_assets.imaging.figures.area_bars import Areas, draw_areas
from idr_assets.imaging.figures.drawing import (
    COLOURS,
    DPI,
    LABEL,
    NUMBER,
    PAPER,
    default_style,
    indices,
    name_axes,
    styles,
    write_frame,
)
from idr_assets.imaging.figures.plotting import Axes, Figure, Line2D, MaxNLocator, Rectangle
from idr_assets.imaging.planes import Block, Plane, evenly_spread

CHANNELS: Final = 12
"""At most so many channels are drawn: more lines cannot be distinguished."""

_CAPTION = (
    "Heat map: each cell is a plane, its colour the number of its objects. Mean: over the planes of all slices z at a "
    "timepoint. Areas: of all objects, in bars of the same width."
)
_MISSING = " Hatched: planes not measured, which the mean leaves out."
_LINE_CAPTION = "Left: the number of objects of each plane. Areas: of all objects, in bars of the same width."
_GAPS = " Planes not measured have no dot."
_WIDTH, _MAPS, _MAP, _PLOT = 9.0, 19.2, 3.2, 2.6  # inches: width; most height of all maps and of one; of the plots
_LEGEND, _TEXT, _HEADLINE = 0.4, 0.7, 0.2  # inches: heights of the legend, the caption, a line of the title
_HEADLINE_LETTERS, _DOTS = 80, 100  # in a line of the title; timepoints with a dot each
_HEADROOM = 1.08  # above the highest point, which is a dot

type Counts = npt.NDArray[np.float64]


@default_style()
def counts_figure(  # noqa: PLR0913
    counts: Mapping[Plane, int],
    areas: Areas,
    window: Block,
    *,
    title: str,
    pixel_area: float | None = None,
    channels: Mapping[int, Channel] = UNNAMED,
) -> Figure:
    """Draw a heat map of the number of objects for each channel; below, the mean over z and the areas.

    Of a single timepoint or slice, a line of the numbers stands in place of heat maps and mean.

    Parameters
    ----------
    counts
        Number of objects of each plane. A plane of the window that is absent is drawn as not measured.
    areas
        Areas of all objects in pixels, by channel.
    window
        The planes to draw. If it has more than `CHANNELS` channels, some are left out evenly.
    title
        Printed above the figure.
    pixel_area
        In µm²; converts the areas to µm².
    channels
        Names of channels, as far as they are known.
    """
    shown = replace(window, c=tuple(evenly_spread(window.c, CHANNELS)))
    found = {c: _over_t_and_z(counts, shown, c) for c in shown.c}
    headline = textwrap.wrap(title, _HEADLINE_LETTERS)
    mapped = found if min(len(window.t), len(window.z)) > 1 else {}
    heights = [min(_MAP, _MAPS / len(found))] * len(mapped) + [_LEGEND] * (len(found) > 1) + [_PLOT]
    figure = Figure((_WIDTH, sum(heights) + _TEXT + _HEADLINE * len(headline)), dpi=DPI, facecolor="white")
    figure.set_layout_engine("constrained", w_pad=0.1)
    grid = figure.add_gridspec(len(heights), 2, height_ratios=heights)
    most = max(1.0, *(np.nanmax(cells, initial=0) for cells in found.values()))
    for row, (c, cells) in enumerate(mapped.items()):
        _draw_map(figure.add_subplot(grid[row, :]), cells, shown, title_channel(c, channels), most)
    means = figure.add_subplot(grid[-1, 0])
    _draw_means(means, found, shown, channels)
    draw_areas(figure.add_subplot(grid[-1, 1]), {c: areas[c] for c in shown.c}, pixel_area)
    if len(found) > 1:
        _draw_legend(figure.add_subplot(grid[-2, :]), means.get_lines())
    missing = any(np.isnan(cells).any() for cells in found.values())
    caption = (_CAPTION, _MISSING) if mapped else (_LINE_CAPTION, _GAPS)
    write_frame(figure, headline, _caption(len(window.c) - len(found), *caption[: 1 + missing]))
    return figure


def _caption(omitted: int, what: str, missing: str = "") -> str:
    channels = f"{omitted} more channel{' is' if omitted == 1 else 's are'}"
    thinned = f" {channels} left out, evenly, with all of their objects." if omitted else ""
    return what + thinned + missing


def _over_t_and_z(counts: Mapping[Plane, int], window: Block, c: int) -> Counts:
    """Return the numbers of objects (t, z) of a channel; NaN is a missing plane."""
    return np.array([[counts.get(Plane(t, c, z), np.nan) for z in window.z] for t in window.t], np.float64)


def _draw_map(axes: Axes, cells: Counts, window: Block, title: str, most: float) -> None:
    extent = (window.z.start - 0.5, window.z.stop - 0.5, window.t.stop - 0.5, window.t.start - 0.5)
    style: dict[str, Any] = {"cmap": "viridis", "vmin": 0, "vmax": most, "aspect": "auto", "interpolation": "nearest"}
    drawn = axes.imshow(np.ma.masked_invalid(cells), extent=extent, **style)
    if np.isnan(cells).any():
        hatched: dict[str, Any] = {"facecolor": PAPER, "edgecolor": "#b4b4b4", "hatch": "////", "linewidth": 0}
        axes.add_patch(Rectangle((0, 0), 1, 1, transform=axes.transAxes, zorder=-1, gid="missing", **hatched))
    name_axes(axes, title, "slice z (index)", "timepoint t (index)")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(indices())
    bar = axes.figure.colorbar(drawn, ax=axes, ticks=indices(), format="{x:,.0f}", pad=0.015, aspect=25)
    bar.set_label("objects in the plane", **LABEL)
    bar.ax.tick_params(labelsize=7.5)


def _draw_means(axes: Axes, found: Mapping[int, Counts], window: Block, channels: Mapping[int, Channel]) -> None:
    over_z = len(window.t) == 1
    along = window.z if over_z else window.t
    for style, (c, cells) in zip(styles(), found.items(), strict=False):
        stored = ~np.isnan(cells)
        planes = stored.sum(axis=1 - over_z)
        means = np.where(planes, np.where(stored, cells, 0).sum(axis=1 - over_z) / np.maximum(planes, 1), np.nan)
        size = 6 if len(along) <= _DOTS else 2
        name = _name_line(c, channels)
        axes.plot(along, means, linewidth=1, marker=".", markersize=size, clip_on=False, label=name, **style)
    title = "objects" if min(len(window.t), len(window.z)) == 1 else "mean over z"
    name_axes(axes, title, "slice z (index)" if over_z else "timepoint t (index)", "objects per plane")
    axes.set_xlim(along.start - 0.5, along.stop - 0.5)
    axes.set_ylim(0, max(1, axes.dataLim.y1) * _HEADROOM)
    axes.xaxis.set_major_locator(indices())
    axes.yaxis.set_major_locator(MaxNLocator(nbins=8, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_formatter(NUMBER)
    axes.spines[["top", "right"]].set_visible(False)


def _name_line(c: int, channels: Mapping[int, Channel]) -> str:
    """Name the line of a channel in the legend, where `$` would start mathematics."""
    name = channels.get(c, Channel()).name
    return f"c {c} {shorten(name)}".replace("$", r"\$") if name else f"c {c}"


def _draw_legend(axes: Axes, lines: Sequence[Line2D]) -> None:
    axes.set_axis_off()
    axes.legend(handles=lines, loc="center", ncols=len(COLOURS), fontsize=7.5, handlelength=3, frameon=False)
