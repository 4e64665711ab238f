"""The montage of a window: its planes with their labels. `panels` lays them out and draws them."""

from collections.abc import Mapping

from idr_assets.imaging.channels import UNNAMED, Channel
from idr_assets.imaging.figures import colours
from idr_assets.imaging.figures.drawing import default_style
from idr_assets.imaging.figures.panels import Layout, Panel, draw_panels, omission
from idr_assets.imaging.figures.plotting import Figure
from idr_assets.imaging.planes import LabelledPlane, Plane, count_objects

_CAPTION = (
    "Rows: timepoints T. Columns: slices Z. Above each plane: its t, c, z and, after the dot, its number of objects. "
    f"Grey: intensity in arbitrary units, {colours.GREY_RANGE}. "
    "Colours tell neighbouring objects apart and mean nothing else."
)
_PANELS = 1620  # dots: all panels along the longer side, within the least and most of a panel
_LEAST_PANEL, _MOST_PANEL = 270, 810

type Planes = Mapping[tuple[int, int, int], LabelledPlane | None]


@default_style()
def montage(
    planes: Planes,
    *,
    title: str,
    omitted: int = 0,
    pixel_size: float | None = None,
    channels: Mapping[int, Channel] = UNNAMED,
) -> Figure:
    """Draw the planes of a window as rows T and columns Z, a group of rows for each channel.

    Parameters
    ----------
    planes
        By (t, c, z). None, or a plane of the grid that is absent, is drawn as not materialized.
    title
        Printed above the figure.
    omitted
        Number of planes that were left out evenly; the caption states it.
    pixel_size
        In µm; adds a scale bar.
    channels
        Names and colours of channels, as far as they are known.

    Raises
    ------
    ValueError
        If `planes` is empty.
    """
    if not planes:
        message = f"Montage '{title}' has no planes, so there is nothing to draw: give at least one key (t, c, z)."
        raise ValueError(message)
    every_t, every_c, every_z = (sorted(set(indices)) for indices in zip(*planes, strict=True))
    rows = {c: [[_panel(planes, Plane(t, c, z)) for z in every_z] for t in every_t] for c in every_c}
    side = _PANELS // max(len(every_z), len(every_t) * len(every_c))
    layout = Layout(min(_MOST_PANEL, max(_LEAST_PANEL, side)), _LEAST_PANEL)
    caption = _CAPTION + omission(omitted)
    return draw_panels(rows, layout, title=title, caption=caption, pixel_size=pixel_size, known=channels)


def _panel(planes: Planes, name: Plane) -> Panel:
    plane = planes.get((name.t, name.c, name.z))
    return Panel(f"{name} · {count_objects(plane.labels)}" if plane else str(name), plane)
