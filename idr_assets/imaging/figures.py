"""The montage of a window, for people.

Here belong what is drawn and what the captions say. How numbers become colours stands in `colours`, what a panel holds
in `panels`, where it stands in `montage_sheet`, small pictures in `pictures`, the page in `plane_browser`. No function
touches pyplot or any other global state, so that threads may draw at once.
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import product

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from idr_assets.imaging import colours
from idr_assets.imaging.line_artist import Line
from idr_assets.imaging.montage_sheet import Sheet
from idr_assets.imaging.panels import FAINT, INK, MARGIN, draw_absence, draw_scale_bar, plane_picture, write
from idr_assets.imaging.picture_artist import Picture
from idr_assets.imaging.planes import LabelledPlane, Plane

_CAPTION = (
    "Rows: timepoints T. Columns: slices Z. Above each plane: its t, c, z and, after the dot, its number of objects. "
    f"Grey: intensity in arbitrary units, {colours.GREY_RANGE}. "
    "Colours tell neighbouring objects apart and mean nothing else."
)
_MISSING = " Hatched: planes not materialized."

type PlaneKey = tuple[int, int, int]
type Planes = Mapping[PlaneKey, LabelledPlane | None]


def montage(planes: Planes, *, title: str, omitted: int = 0, pixel_size: float | None = None) -> Figure:
    """Draw the planes of a window as rows T and columns Z, a group of rows for each channel.

    Keys are (t, c, z). A plane that is None, or that the grid needs and `planes` lacks, is drawn as not materialized;
    `omitted` planes were left out evenly, which the caption says. `pixel_size` is in micrometres and adds a scale
    bar. Raises ValueError where there is no key at all.
    """
    if not planes:
        message = f"Montage '{title}' has no planes and cannot be laid out: give at least one key (t, c, z)."
        raise ValueError(message)
    sheet = _sheet(planes, title, omitted)
    figure = sheet.figure()
    axes = figure.axes[0]
    write(axes, MARGIN, MARGIN, "\n".join(sheet.headline), fontsize=10, fontweight="bold", verticalalignment="top")
    for c in sheet.c:
        _draw_channel(axes, sheet, c, planes)
        if pixel_size is not None and any(planes.values()):  # how wide a plane is, is not known without one
            dot = pixel_size * sheet.shape[1] / sheet.panel[1]
            draw_scale_bar(axes, (sheet.width - MARGIN, sheet.heading(c)), sheet.panel[1], dot)
    for line, text in enumerate(sheet.caption):
        axes.add_artist(Line(MARGIN, sheet.baseline(line), text, fontsize=7, color=FAINT))
    return figure


def drawn(figure: Figure) -> colours.Bytes:
    """Return `figure` of `montage` as dots (y, x, 4), RGB and a byte that means nothing; pixels are on whole dots."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # type: ignore[no-untyped-call]
    return np.asarray(canvas.buffer_rgba())  # type: ignore[no-untyped-call]


def _sheet(planes: Planes, title: str, omitted: int) -> Sheet:
    t, c, z = (sorted(set(indices)) for indices in zip(*planes, strict=True))
    drawn = [plane for plane in planes.values() if plane]
    shape = drawn[0].pixels.shape if drawn else (1, 1)
    complete = len(drawn) == len(t) * len(c) * len(z)
    thinned = f" {omitted} more planes of the window are left out, evenly." if omitted else ""
    return Sheet(title, _CAPTION + thinned + ("" if complete else _MISSING), t, c, z, shape)


def _draw_channel(axes: Axes, sheet: Sheet, c: int, planes: Planes) -> None:
    drawn = [plane.pixels for key, plane in planes.items() if key[1] == c and plane]
    grey_range = colours.contrast(drawn)
    y = sheet.heading(c)
    write(axes, MARGIN, y, f"channel {c}", fontsize=8.5, fontweight="bold", verticalalignment="center")
    if drawn:
        _draw_grey_range(axes, MARGIN + 180, y, *grey_range)
    shown = [(Plane(t, c, z), planes.get((t, c, z))) for t, z in product(sheet.t, sheet.z)]
    with ThreadPoolExecutor(2) as threads:  # a third of it is done without Python's lock
        pictures = threads.map(lambda it: plane_picture(it[1], sheet.side, grey_range) if it[1] else None, shown)
        for (name, plane), picture in zip(shown, pictures, strict=True):
            _draw_panel(axes, sheet, name, plane, picture)


def _draw_grey_range(axes: Axes, x: int, y: int, black: float, white: float) -> None:
    ramp = np.linspace(0, 255, 120).astype(np.uint8)[np.newaxis].repeat(18, 0)
    axes.add_artist(Picture(colours.overlay(ramp, np.zeros_like(ramp)), x, y - 9))
    axes.add_patch(Rectangle((x, y - 9), 120, 18, fill=False, edgecolor=FAINT, linewidth=0.5))
    write(axes, x + 134, y, f"{black:.6g} to {white:.6g} a.u.", fontsize=7.5, verticalalignment="center")


def _draw_panel(
    axes: Axes, sheet: Sheet, name: Plane, plane: LabelledPlane | None, picture: colours.Bytes | None
) -> None:
    x, y = corner = sheet.corner(name)
    if plane and picture is not None:
        axes.add_artist(Picture(picture, *corner))
        axes.add_artist(Line(x, y - 8, f"{name} · {colours.count_objects(plane.labels)}", fontsize=7, color=INK))
    else:
        draw_absence(axes, corner, sheet.panel)
        write(axes, x, y - 8, str(name), fontsize=7, color=FAINT)
