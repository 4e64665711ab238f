"""How many objects there are over T x Z, and how large they are: a figure, for people.

Here stands what is drawn. How objects are counted and measured stands in `objects`. No function touches pyplot or any
other global state, so that threads may draw at once.
"""

import textwrap
from collections.abc import Mapping
from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from idr_assets.imaging.panels import DPI, FAINT, INK, PAPER
from idr_assets.imaging.planes import Block, Plane

_CAPTION = (
    "Heat map: each cell is a plane, its colour the number of its objects. Mean: over the planes of all slices z at a "
    "timepoint. Areas: of all objects, one bar for each range of whole pixels."
)
_MISSING = " Hatched: planes not measured, which the mean leaves out."
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")  # of channels: Okabe and Ito's
_WIDTH, _MAP, _PLOT, _TEXT = 9.0, 3.2, 2.6, 0.9  # inches: of the sheet, then heights
_LINE, _BINS, _DOTS = 175, 40, 100  # letters of a line of the caption; bars, and timepoints with a dot each, at most
_COMMON = 0.995  # share of the objects that histograms must tell apart, whatever the others are
_NUMBER = "{x:,.12g}"  # without exponent and without the last digits, which are rounding
_LABEL: dict[str, Any] = {"fontsize": 8, "color": INK}

type Areas = Mapping[int, npt.NDArray[Any]]
type Counts = npt.NDArray[np.float64]


def counts_figure(
    counts: Mapping[Plane, int], areas: Areas, window: Block, *, title: str, pixel_area: float | None = None
) -> Figure:
    """Draw the numbers of objects of the window's planes: for each channel a heat map, below the mean over z and areas.

    A plane that `counts` lacks is drawn as not measured. `areas` are those of all objects in pixels, by channel;
    `pixel_area`, in µm², turns them into µm².
    """
    channels = len(window.c)
    size = (_WIDTH, _TEXT + _MAP * channels + _PLOT)
    figure = Figure(figsize=size, dpi=DPI, facecolor="white")
    figure.set_layout_engine("constrained", w_pad=0.1)
    grid = figure.add_gridspec(channels + 1, 2, height_ratios=[_MAP] * channels + [_PLOT])
    found = {c: _over_t_and_z(counts, window, c) for c in window.c}
    most = max(1.0, *(np.nanmax(cells, initial=0) for cells in found.values()))
    for row, (c, cells) in enumerate(found.items()):
        _draw_map(figure.add_subplot(grid[row, :]), cells, window, f"channel {c}", most)
    _draw_means(figure.add_subplot(grid[channels, 0]), found, window)
    _draw_areas(figure.add_subplot(grid[channels, 1]), areas, pixel_area)
    missing = any(np.isnan(cells).any() for cells in found.values())
    caption = "\n".join(textwrap.wrap(_CAPTION + (_MISSING if missing else ""), _LINE))
    left: dict[str, Any] = {"x": 0.01, "horizontalalignment": "left", "parse_math": False}
    figure.suptitle(title, fontsize=10, fontweight="bold", color=INK, **left)
    figure.supxlabel(caption, fontsize=7, color=FAINT, **left)
    return figure


def svg(figure: Figure) -> bytes:
    """Encode a figure as SVG, whose heat maps are pictures and all else is lines and text as outlines."""
    stream = BytesIO()
    FigureCanvasSVG(figure).print_svg(stream, metadata={"Date": None})  # type: ignore[no-untyped-call]
    return stream.getvalue()


def _over_t_and_z(counts: Mapping[Plane, int], window: Block, c: int) -> Counts:
    """Give the numbers of objects (t, z) of a channel, NaN where a plane is missing."""
    return np.array([[counts.get(Plane(t, c, z), np.nan) for z in window.z] for t in window.t], np.float64)


def _draw_map(axes: Axes, cells: Counts, window: Block, title: str, most: float) -> None:
    extent = (window.z.start - 0.5, window.z.stop - 0.5, window.t.stop - 0.5, window.t.start - 0.5)
    style: dict[str, Any] = {"cmap": "viridis", "vmin": 0, "vmax": most, "aspect": "auto", "interpolation": "nearest"}
    drawn = axes.imshow(np.ma.masked_invalid(cells), extent=extent, **style)
    if np.isnan(cells).any():
        hatched: dict[str, Any] = {"facecolor": PAPER, "edgecolor": "#b4b4b4", "hatch": "////", "linewidth": 0}
        axes.add_patch(Rectangle((0, 0), 1, 1, transform=axes.transAxes, zorder=-1, gid="missing", **hatched))
    _name(axes, title, "slice z (index)", "timepoint t (index)")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(_indices())
    bar = axes.figure.colorbar(drawn, ax=axes, ticks=_indices(), format="{x:,.0f}", pad=0.015, aspect=25)
    bar.set_label("objects in the plane", **_LABEL)
    bar.ax.tick_params(labelsize=7.5)


def _draw_means(axes: Axes, found: Mapping[int, Counts], window: Block) -> None:
    for colour, (c, cells) in zip(_colours(len(found)), found.items(), strict=True):
        stored = ~np.isnan(cells)
        planes = stored.sum(axis=1)
        means = np.where(planes, np.where(stored, cells, 0).sum(axis=1) / np.maximum(planes, 1), np.nan)
        size = 6 if len(window.t) <= _DOTS else 2
        axes.plot(
            window.t, means, color=colour, linewidth=1, marker=".", markersize=size, clip_on=False, label=f"c {c}"
        )
    _name(axes, "mean over z", "timepoint t (index)", "objects per plane")
    axes.set_xlim(window.t.start - 0.5, window.t.stop - 0.5)
    axes.set_ylim(0, max(1, axes.get_ylim()[1]))
    axes.xaxis.set_major_locator(_indices())
    axes.yaxis.set_major_formatter(_NUMBER)
    _finish(axes, len(found))


def _draw_areas(axes: Axes, areas: Areas, pixel_area: float | None) -> None:
    every = np.concatenate([np.zeros(0, np.int64), *areas.values()])
    unit = "pixels" if pixel_area is None else "µm²"
    _name(axes, f"areas of {every.size:,} object{'' if every.size == 1 else 's'}", f"area ({unit})", "objects")
    if every.size:
        edges = _edges(every)
        _draw_bars(axes, areas, edges, pixel_area or 1)
        if every.max() >= edges[-1]:
            least = _NUMBER.format(x=edges[-2] * (pixel_area or 1))
            axes.set_xlabel(f"area ({unit}); the last bar is of {least} and larger", **_LABEL)
    else:
        axes.text(0.5, 0.5, "no objects", transform=axes.transAxes, horizontalalignment="center", **_LABEL)
        axes.set(xticks=[], yticks=[])
    _finish(axes, len(areas) if every.size else 0)


def _edges(areas: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Cut the range of areas into bars of as many whole pixels each; few far larger than all else widen none."""
    least, most, common = (int(np.quantile(areas, share, method="lower")) for share in (0, 1, _COMMON))
    span = (most if most <= 2 * common else common) - least + 1
    step = -(-span // _BINS)
    return np.arange(least, least + span + step, step)


def _draw_bars(axes: Axes, areas: Areas, edges: npt.NDArray[np.int64], pixel_area: float) -> None:
    for colour, (c, values) in zip(_colours(len(areas)), areas.items(), strict=True):
        bars, _ = np.histogram(np.minimum(values, edges[-1] - 1), edges)
        axes.stairs(bars, edges * pixel_area, color=colour, fill=len(areas) == 1, label=f"c {c}")
    axes.set_ylim(bottom=0)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=5, steps=[1, 2, 2.5, 5, 10]))
    axes.yaxis.set_major_locator(_indices())
    axes.xaxis.set_major_formatter(_NUMBER)
    axes.yaxis.set_major_formatter("{x:,.0f}")


def _colours(channels: int) -> list[str]:
    return [_COLOURS[index % len(_COLOURS)] for index in range(channels)]


def _indices() -> MaxNLocator:
    """Place ticks at whole numbers, as many as there is room for."""
    return MaxNLocator(nbins=10, steps=[1, 2, 5, 10], integer=True, min_n_ticks=1)


def _name(axes: Axes, title: str, x: str, y: str) -> None:
    axes.set_title(title, loc="left", fontsize=8.5, fontweight="bold", color=INK)
    axes.set_xlabel(x, **_LABEL)
    axes.set_ylabel(y, **_LABEL)
    axes.tick_params(labelsize=7.5)


def _finish(axes: Axes, channels: int) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    if channels > 1:
        axes.legend(fontsize=7.5, frameon=False)
