"""The montage of a window: its planes with their labels. `panels` lays them out and draws them."""

from collections.abc import Mapping
from itertools import batched, chain

from idr_assets.imaging.channels import UNNAMED, Channel
from idr_assets.imaging.figures import colours
from idr_assets.imaging.figures.drawing import default_style
from idr_assets.imaging.figures.panels import Layout, Panel, draw_panels, omission
from idr_assets.imaging.figures.plotting import Figure
from idr_assets.imaging.planes import LabelledPlane, Plane

MOST = 12
"""Rows, of all channels together, and columns at most; more cannot be read."""

_CAPTION = (
    "{places}Above each plane: its t, c, z and, after the dot, its number of objects. "
    f"Grey: intensity in arbitrary units, {colours.GREY_RANGE}. "
    "Colours tell neighbouring objects apart and mean nothing else."
)
_ROWS, _BESIDE, _SLICES = (
    "Rows: timepoints T. Columns: slices Z. ",
    "Rows: timepoints T, some beside each other. Columns: slices Z. ",
    "Slices Z, row by row. ",
)
_PANELS = 1620  # dots: all panels along the longer side, of long planes more, within the least and most of a panel
_LEAST_PANEL, MOST_PANEL = 270, 810
_NARROW = 180  # dots: least column of planes that are higher than wide
_MOST_RATIO = 4  # of the sides of a plane, for the shape of the sheet

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
    wrapped = len(every_t) == 1
    units = [[(every_t[0], z)] for z in every_z] if wrapped else [[(t, z) for z in every_z] for t in every_t]
    shape = next((plane.pixels.shape for plane in planes.values() if plane), (1, 1))
    beside, groups = _arrange(len(units), len(every_c), len(units[0]), shape)
    lines = list(batched(units, beside))
    rows = {c: [[_panel(planes, Plane(t, c, z)) for t, z in chain(*line)] for line in lines] for c in every_c}
    layout = _lay_out(len(units[0]) * beside, len(lines) * -(-len(every_c) // groups), groups, shape)
    places = (_SLICES if len(units) > 1 else "") if wrapped else _BESIDE if beside > 1 else _ROWS
    caption = _CAPTION.format(places=places) + omission(omitted)
    return draw_panels(rows, layout, title=title, caption=caption, pixel_size=pixel_size, known=channels)


def most_timepoints(channels: int, slices: int) -> int:
    """Return how many timepoints have room: those of few slices lie beside each other."""
    return max(1, min(MOST, MOST // channels * max(1, MOST // slices)))


def _arrange(units: int, channels: int, width: int, shape: tuple[int, ...]) -> tuple[int, int]:
    """Return how many units of a channel, and how many channels, lie beside each other.

    A unit is a timepoint, of so many slices as `width`, or a slice of a single timepoint. The sheet becomes about as
    wide as it is high, with at most `MOST` panels along each side as far as that goes, and few empty places.
    """
    tall, wide = (max(1, min(_MOST_RATIO, round(shape[at] / shape[1 - at]))) for at in (0, 1))
    even = sorted({-(-units // lines) for lines in range(1, units + 1)}, reverse=True)  # as many in each line
    ways = [(it, groups) for it in even for groups in range(channels, 0, -1) if it * groups * width <= MOST]

    def fault(way: tuple[int, int]) -> float:
        beside, groups = way
        lines, columns = -(-units // beside) * -(-channels // groups), beside * groups * width
        empty = lines * columns - units * width * channels
        return abs(lines * tall - columns * wide) + 2 * empty / columns + MOST**2 * (lines > MOST)

    return min(ways or [(1, 1)], key=fault)


def _lay_out(columns: int, lines: int, groups: int, shape: tuple[int, ...]) -> Layout:
    """Choose how large panels are; single planes of several channels are as wide as the names above them."""
    column = _NARROW if shape[0] > 2 * shape[1] else _LEAST_PANEL
    if columns == 1 < groups:
        return Layout(MOST_PANEL, column, groups)
    longer = colours.stretch(shape)
    side = int(_PANELS * longer) // max(columns * groups, lines)
    return Layout(min(int(MOST_PANEL * min(2, longer)), max(_LEAST_PANEL, side)), column, groups)


def _panel(planes: Planes, name: Plane) -> Panel:
    plane = planes.get((name.t, name.c, name.z))
    return Panel(f"{name} · {plane.count}" if plane else str(name), plane)
