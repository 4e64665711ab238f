"""The plots of the report. What is in them is measured elsewhere."""

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.model import Forecast
from benchmarks.results import Results
from idr_assets.imaging.figures.drawing import FAINT, INK

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7")  # Okabe and Ito's
HOUR = 60
"""Minutes."""

_LABEL: dict[str, Any] = {"fontsize": 8, "color": INK}
_BESIDE: dict[str, Any] = {"fontsize": 8, "frameon": False, "loc": "upper left", "bbox_to_anchor": (1, 1)}


def digits(value: float) -> str:
    """Write a number with three digits, without an exponent."""
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def ways_plot(results: Results) -> Figure:
    """Draw the milliseconds a plane of each way at each latency."""
    figure, (axes,) = _sheet(1)
    for place, (latency, rows) in enumerate(results.ways.items()):
        for offset, (row, colour) in enumerate(zip(rows, COLOURS, strict=False)):
            name = row.name.removesuffix(f", {latency} ms") if place == 0 else None
            bars = axes.bar([place + 0.27 * (offset - 1)], [1000 * row.plane], 0.25, color=colour, label=name)
            axes.bar_label(bars, fmt=digits, **_LABEL)
    axes.set_yscale("log")
    axes.margins(y=0.12)
    axes.set_xticks(range(len(results.ways)), [f"{latency} ms latency" for latency in results.ways])
    _finish(axes, "Each way, at each latency", "ms a plane (logarithmic)")
    axes.legend(**_BESIDE)
    return figure


def workers_plot(results: Results) -> Figure:
    """Draw the milliseconds a plane for each size of block, and for each form of the cluster."""
    figure, panels = _sheet(2)
    titles = "Planes of a block", "Workers of the cluster"
    for axes, rows, title, colour in zip(panels, (results.blocks, results.workers), titles, COLOURS, strict=False):
        bars = axes.bar(range(len(rows)), [1000 * row.plane for row in rows], 0.6, color=colour)
        axes.bar_label(bars, fmt=digits, **_LABEL)
        axes.set_xticks(range(len(rows)), [row.name.removeprefix("blocks of ") for row in rows])
        _finish(axes, title, "ms a plane")
    return figure


def runs_plot(results: Results) -> Figure:
    """Draw how the seconds of runs grow with their number of planes."""
    figure, (axes,) = _sheet(1)
    planes = list(results.runs)
    empty, ours = ([rows[index].costs[0] for rows in results.runs.values()] for index in range(2))
    lines = {
        "run of plane_labels": [cost.seconds for cost in ours],
        "of it: segmenting": [cost.segmenting for cost in ours],
        "run of the empty asset": [cost.seconds for cost in empty],
    }
    for (name, seconds), colour in zip(lines.items(), COLOURS, strict=False):
        axes.plot(planes, seconds, "o-", color=colour, label=name)
    axes.set(xscale="log", yscale="log")
    axes.set_xlabel("planes", **_LABEL)
    axes.set_xticks(planes, [f"{count:,}" for count in planes])
    axes.minorticks_off()
    _finish(axes, "How the time of a run grows", "seconds (logarithmic)")
    axes.legend(**_BESIDE)
    return figure


def model_plot(forecasts: Sequence[Forecast]) -> Figure:
    """Draw the minutes of the whole image on each machine, term by term."""
    figure, (axes,) = _sheet(1)
    names, ends = [each.machine for each in forecasts], [0.0] * len(forecasts)
    for term, colour in zip(forecasts[0].terms, COLOURS, strict=False):
        minutes = [each.adding(term) / 60 for each in forecasts]
        axes.barh(names, minutes, 0.6, left=ends, color=colour, label=term)
        ends = [end + more for end, more in zip(ends, minutes, strict=True)]
    axes.axvline(HOUR, color=INK, linewidth=1, linestyle="--", label="an hour")
    axes.invert_yaxis()
    _finish(axes, "The whole image, by the model", "")
    axes.set_xlabel("minutes", **_LABEL)
    axes.legend(**_BESIDE)
    return figure


def _sheet(panels: int) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(8, 3.2), facecolor="white", layout="constrained")
    return figure, [figure.add_subplot(1, panels, index + 1) for index in range(panels)]


def _finish(axes: Axes, title: str, unit: str) -> None:
    axes.set_title(title, fontsize=10, fontweight="bold", loc="left", color=INK)
    axes.set_ylabel(unit, **_LABEL)
    axes.tick_params(labelsize=8, colors=FAINT)
    axes.spines[["top", "right"]].set_visible(False)
