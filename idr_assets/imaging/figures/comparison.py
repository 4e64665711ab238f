"""The comparison of several segmentations of the same planes, side by side."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from idr_assets.imaging.channels import UNNAMED, Channel
from idr_assets.imaging.figures import colours
from idr_assets.imaging.figures.drawing import default_style
from idr_assets.imaging.figures.panels import Layout, Panel, draw_panels, omission
from idr_assets.imaging.figures.plotting import Figure
from idr_assets.imaging.planes import LabelledPlane, Plane

_CAPTION = (
    "A row for each plane, a column for each segmentation after the pixels alone; above its panels the number of "
    f"objects. Grey: intensity in arbitrary units, {colours.GREY_RANGE}. "
    "Colours tell neighbouring objects apart and mean nothing else."
)
_ROW, _LEAST_PANEL, MOST_PANEL = 2400, 400, 540  # dots: width of a row, within the least and most of a panel
_LEAST_COLUMN = 270  # dots

type Rows = Mapping[tuple[int, int, int], Sequence[LabelledPlane | None]]


@default_style()
def comparison(  # noqa: PLR0913
    rows: Rows,
    names: Sequence[str],
    *,
    title: str,
    omitted: int = 0,
    pixel_size: float | None = None,
    most: int = MOST_PANEL,
    channels: Mapping[int, Channel] = UNNAMED,
    name_plane: Callable[[Plane], str] = str,
) -> Figure:
    """Draw planes as rows, grouped by channel, and segmentations as columns.

    Parameters
    ----------
    rows
        For each (t, c, z), the plane as each segmentation labels it, in the order of `names`. None is drawn as not
        materialized.
    names
        Names of the segmentations.
    title
        Printed above the figure.
    omitted
        Number of planes that were left out evenly; the caption states it.
    pixel_size
        In µm; adds a scale bar.
    most
        Longest side of a panel in dots, for few large panels.
    channels
        Names and colours of channels, as far as they are known.
    name_plane
        Names a plane, for the title of its row.

    Raises
    ------
    ValueError
        If there are no rows.
    """
    if not rows:
        message = f"The comparison '{title}' has no planes, so there is nothing to draw: give at least one (t, c, z)."
        raise ValueError(message)
    groups = {
        channel: [_row(name_plane(Plane(*key)), row, names) for key, row in rows.items() if key[1] == channel]
        for channel in sorted({c for _, c, _ in rows})
    }
    shape = next((plane.pixels.shape for row in rows.values() for plane in row if plane), (1, 1))
    side = min(most, max(_LEAST_PANEL, _ROW // (1 + len(names))))
    layout = Layout(int(side * min(2, colours.stretch(shape))), _LEAST_COLUMN)
    caption = _CAPTION + omission(omitted)
    return draw_panels(groups, layout, title=title, caption=caption, pixel_size=pixel_size, known=channels)


def _row(name: str, planes: Sequence[LabelledPlane | None], names: Sequence[str]) -> list[Panel]:
    """Start the row with the plane's pixels alone, from the first segmentation that has them."""
    found = next((plane for plane in planes if plane), None)
    alone = found and replace(found, labels=np.zeros_like(found.labels))
    return [Panel(name, alone), *(_panel(*each) for each in zip(names, planes, strict=True))]


def _panel(name: str, plane: LabelledPlane | None) -> Panel:
    return Panel(f"{name} · {plane.count}" if plane else name, plane)
