"""The figure of how well segmentations agree, pair by pair."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from idr_assets.imaging.figures.drawing import COLOURS, DPI, FAINT, INK, LABEL, default_style, name_axes
from idr_assets.imaging.figures.panels import omission
from idr_assets.imaging.figures.plotting import Axes, Figure

_CAPTION: Final = (
    "Each dot is a plane, each bar the mean over planes, with its number. F1: objects that both segmentations have, "
    "times two, divided by the objects of both; 1 if neither has any. Two objects are the same if their intersection "
    "over union (IoU) is at least the number in the legend."
)
_REFERENCE: Final = (
    " Precision and recall: share of the objects of the segmentation, and of the reference, that both have. Panoptic "
    "quality: F1 times the mean IoU of these."
)
_WIDTH, _ROW, _REST, _LINE = (
    9.0,
    0.5,
    1.7,
    150,
)  # inches: width, height of a pair, of all else; letters of a caption line
_APART = 0.22  # of the height of a pair, between the middle and each of its two strips

type Scores = Mapping[str, Mapping[float, Sequence[float]]]


@default_style()
def agreement_figure(scores: Scores, *, title: str, omitted: int = 0, with_reference: bool = False) -> Figure:
    """Draw the scores of each pair of segmentations, or of a segmentation and a reference.

    Parameters
    ----------
    scores
        For each pair, by its name, the score of each plane at each of two overlaps: F1 unless the name says another.
    title
        Printed above the figure.
    omitted
        Number of planes that were left out evenly; the caption states it.
    with_reference
        Whether the caption explains the scores by a reference.
    """
    figure = Figure((_WIDTH, _REST + _ROW * len(scores)), dpi=DPI, facecolor="white")
    figure.set_layout_engine("constrained")
    axes = figure.add_subplot()
    for row, by_overlap in enumerate(scores.values()):
        for place, colour, (overlap, found) in zip((-_APART, _APART), COLOURS, by_overlap.items(), strict=False):
            _draw_strip(axes, row + place, found, colour, f"IoU {overlap:g}" if row == 0 else "_")
    name_axes(axes, title, "score of a plane" if with_reference else "F1 of a plane", "")
    axes.set_yticks(range(len(scores)), list(scores), parse_math=False, **LABEL)
    axes.set(xlim=(-0.02, 1.08), ylim=(len(scores) - 0.5, -0.5), xticks=np.linspace(0, 1, 6))
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    figure.legend(loc="outside upper right", ncols=2, fontsize=7.5, frameon=False, labelcolor=INK)
    text = "\n".join(textwrap.wrap(_CAPTION + _REFERENCE * with_reference + omission(omitted), _LINE))
    figure.supxlabel(text, x=0.01, horizontalalignment="left", fontsize=7, color=FAINT)
    return figure


def _draw_strip(axes: Axes, y: float, found: Sequence[float], colour: str, name: str) -> None:
    axes.scatter(found, np.full(len(found), y), s=14, color=colour, alpha=0.35, linewidths=0, clip_on=False)
    mean = float(np.mean(found))
    axes.plot([mean, mean], [y - _APART, y + _APART], color=colour, linewidth=2, label=name)
    axes.text(1.03, y, f"{mean:.2f}", verticalalignment="center", fontsize=7.5, color=colour)
