"""The histogram of the areas of objects."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from idr_assets.imaging.figures.drawing import LABEL, NUMBER, indices, name_axes, styles
from idr_assets.imaging.figures.plotting import Axes, MaxNLocator

_BARS = 40  # at most, without the bar of the largest objects
_FEW, _MANY = 0.005, 20  # share of the objects that may be outliers, if there are at least so many objects
_FAR = 2  # times as large as the others: outliers
_UNLIKE = 10  # times as large in one channel as in another: an axis in equal steps would leave one of them a single bar
_LOWEST = 250  # a bar with objects is at least this part of the highest one, about two dots, so that it can be seen

type Areas = Mapping[int, npt.NDArray[Any]]


def draw_areas(axes: Axes, areas: Areas, pixel_area: float | None) -> None:
    """Draw the histogram of areas, in pixels, by channel; `pixel_area`, in µm², converts them to µm²."""
    every = np.concatenate([np.zeros(0, np.int64), *areas.values()])
    unit = "pixels" if pixel_area is None else "µm²"
    name_axes(axes, f"areas of {every.size:,} object{'' if every.size == 1 else 's'}", f"area ({unit})", "objects")
    if every.size:
        unlike = are_unlike(areas)
        edges = _log_edges(every) if unlike else bar_edges(every)
        _draw_bars(axes, areas, edges, pixel_area or 1, logarithmic=unlike)
        if every.max() >= edges[-1]:
            least = NUMBER.format(x=edges[-2] * (pixel_area or 1))
            axes.set_xlabel(f"area ({unit}); the last bar is of {least} and larger", **LABEL)
    else:
        axes.text(0.5, 0.5, "no objects", transform=axes.transAxes, horizontalalignment="center", **LABEL)
        axes.set(xticks=[], yticks=[])
    axes.spines[["top", "right"]].set_visible(False)


def bar_edges(areas: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Divide the range of areas into bars of equal width, in whole pixels.

    A few objects that are far larger than the others get the last bar: they would squeeze the others into one.
    """
    ordered = np.sort(areas)
    few = math.ceil(_FEW * areas.size) if areas.size >= _MANY else 0
    least, most, common = (int(ordered[at]) for at in (0, -1, -1 - few))
    apart = most > _FAR * common
    span = (common if apart else most) - least + 1
    step = -(-span // _BARS)
    bars = -(-span // step) + apart
    return least + step * np.arange(bars + 1)


def are_unlike(areas: Areas) -> bool:
    """Return whether objects of one channel are far larger than those of another."""
    medians = [float(np.median(values)) for values in areas.values() if values.size]
    return max(medians) > _UNLIKE * min(medians)


def _log_edges(areas: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Divide the range of areas into bars that look equally wide on a logarithmic axis, in whole pixels."""
    return np.unique(np.geomspace(areas.min(), areas.max() + 1, _BARS + 1).round().astype(np.int64))


def _draw_bars(axes: Axes, areas: Areas, edges: npt.NDArray[np.int64], pixel_area: float, *, logarithmic: bool) -> None:
    bars = {c: np.histogram(np.minimum(values, edges[-1] - 1), edges)[0] for c, values in areas.items()}
    least = max(heights.max() for heights in bars.values()) / _LOWEST
    for style, (c, heights) in zip(styles(), bars.items(), strict=False):
        seen = np.where(heights, np.maximum(heights, least), 0)
        axes.stairs(seen, edges * pixel_area, fill=len(areas) == 1, label=f"c {c}", **style)
    axes.set_ylim(bottom=0)
    axes.spines["bottom"].set_position(("outward", 3))  # or it would hide low bars
    if logarithmic:
        axes.set_xscale("log")
    else:
        axes.xaxis.set_major_locator(MaxNLocator(nbins=5, steps=[1, 2, 2.5, 5, 10]))
    axes.yaxis.set_major_locator(indices())
    axes.xaxis.set_major_formatter(NUMBER)
    axes.yaxis.set_major_formatter("{x:,.0f}")
