"""The figure of the objects of a window with a single plane of each channel: their numbers and areas.

A heat map and means over z would show one cell and one point.
"""

import textwrap
from collections.abc import Mapping
from dataclasses import replace

from idr_assets.imaging.channels import UNNAMED, Channel, title_channel
from idr_assets.imaging.figures.area_bars import Areas, draw_areas
from idr_assets.imaging.figures.drawing import DPI, default_style, write_frame
from idr_assets.imaging.figures.object_counts import CHANNELS
from idr_assets.imaging.figures.plotting import Figure
from idr_assets.imaging.planes import Block, Plane, evenly_spread

_WIDTH, _HEIGHT, _LETTERS, _LINE = 9.0, 3.6, 80, 175  # inches; letters in a line of the title and of the caption


@default_style()
def areas_figure(  # noqa: PLR0913
    counts: Mapping[Plane, int],
    areas: Areas,
    window: Block,
    *,
    title: str,
    pixel_area: float | None = None,
    channels: Mapping[int, Channel] = UNNAMED,
) -> Figure:
    """Draw the areas of the objects of each channel; the caption gives the numbers. As `counts_figure` otherwise."""
    shown = replace(window, c=tuple(evenly_spread(window.c, CHANNELS)))
    figure = Figure((_WIDTH, _HEIGHT), dpi=DPI, facecolor="white")
    figure.set_layout_engine("constrained", w_pad=0.1)
    axes = figure.add_subplot()
    draw_areas(axes, {c: areas[c] for c in shown.c}, pixel_area)
    if len(shown.c) > 1:
        axes.legend(fontsize=7.5, frameon=False)
    numbers = [f"{title_channel(plane.c, channels)}: {counts.get(plane, 'not measured')}" for plane in shown.planes()]
    (t,), (z,) = window.t, window.z
    caption = f"Objects of t {t}, z {z}, in bars of the same width, and their numbers. {'; '.join(numbers)}."
    write_frame(figure, textwrap.wrap(title, _LETTERS), "\n".join(textwrap.wrap(caption, _LINE)))
    return figure
