"""A figure as a file, and as a preview in the UI."""

from typing import Any

import dagster as dg

from idr_assets.imaging.figures.drawing import DPI, render
from idr_assets.imaging.figures.pictures import figure_png, preview_webp
from idr_assets.imaging.figures.plotting import Figure
from idr_assets.imaging.output.files import write_file
from idr_assets.orchestration.assets.metadata import picture

PREVIEW_WIDTH = 850
"""Width in pixels of a figure in the Dagster UI, whose dialog cuts wider ones and whose events must stay small."""


def write_figure(url: str, figure: Figure, name: str) -> dict[str, Any]:
    """Write a figure as PNG, and return as metadata its path and, under `name`, a preview."""
    drawn = render(figure)
    write_file(url, figure_png(drawn, DPI))
    return {"path": dg.MetadataValue.path(url), name: picture(preview_webp(drawn, PREVIEW_WIDTH), "webp")}
