"""The montage of a window: its planes with their labels. `panels` lays them out and draws them."""

from collections.abc import Mapping
from itertools import batched

from idr_assets.imaging.channels import UNNAMED, Channel
from idr_assets.imaging.figures import colours
from idr_assets.imaging.figures.drawing import default_style
from idr_assets.imaging.figures.panels import Layout, Panel, draw_panels, omission
from idr_assets.imaging.figures.plotting import Figure
from idr_assets.imaging.planes import LabelledPlane, Plane, count_objects

MOST = 12
"""Rows, of all channels together, and columns at most; more cannot be read."""

_CAPTION = (
    "{rows} Columns: slices Z. Above each plane: its t, c, z and, after the dot, its number of objects. "
    f"Grey: intensity in arbitrary units, {colours.GREY_RANGE}. "
    "Colours tell neighbouring objects apart and mean nothing else."
)
_ROWS = "Rows: timepoints T.", "Rows: timepoints T, some beside each other."
_PANELS = 1620  # dots: all panels along the longer side, of long planes twice, within the least and most of a panel
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
    beside = _count_beside(len(every_t), len(every_c), len(every_z))
    lines = list(batched(every_t, beside))
    rows = {c: [[_panel(planes, Plane(t, c, z)) for t in line for z in every_z] for line in lines] for c in every_c}
    layout = _lay_out(planes, len(every_z) * beside, len(lines), len(every_c))
    caption = _CAPTION.format(rows=_ROWS[beside > 1]) + omission(omitted)
    return draw_panels(rows, layout, title=title, caption=caption, pixel_size=pixel_size, known=channels)


def most_timepoints(channels: int, slices: int) -> int:
    """Return how many timepoints have room: those of few slices lie beside each other."""
    return max(1, min(MOST, MOST // channels * max(1, MOST // slices)))


def _count_beside(timepoints: int, channels: int, slices: int) -> int:
    """Return how many timepoints lie beside each other, so that the sheet is about as wide as it is high."""
    even = {-(-timepoints // lines) for lines in range(1, timepoints + 1)}  # as many in each line, as far as that goes
    wide = [beside for beside in sorted(even - {1}, reverse=True) if beside * slices <= MOST]
    return min([1, *wide], key=lambda beside: _lopsided(beside, timepoints, channels, slices))


def _lay_out(planes: Planes, columns: int, lines: int, channels: int) -> Layout:
    """Choose how large panels are; single planes of several channels lie beside each other."""
    if columns * lines == 1 < channels:
        return Layout(_MOST_PANEL, _LEAST_PANEL, groups=2)
    shape = next((plane.pixels.shape for plane in planes.values() if plane), (1, 1))
    longer = max(1, min(2, max(shape) / min(shape) / 2))
    side = int(_PANELS * longer) // max(columns, lines * channels)
    return Layout(min(int(_MOST_PANEL * longer), max(_LEAST_PANEL, side)), _LEAST_PANEL)


def _lopsided(beside: int, timepoints: int, channels: int, slices: int) -> int:
    lines = channels * -(-timepoints // beside)
    return abs(lines - beside * slices) + MOST * MOST * (lines > MOST)


def _panel(planes: Planes, name: Plane) -> Panel:
    plane = planes.get((name.t, name.c, name.z))
    return Panel(f"{name} · {count_objects(plane.labels)}" if plane else str(name), plane)
