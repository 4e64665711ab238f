"""The montage of a window, for people.

Here belong what is drawn and what the captions say. How numbers become colours stands in `colours`, where a panel
stands in `montage_sheet`, small pictures in `pictures`, the page in `plane_browser`. No function touches pyplot or any
other global state, so that threads may draw at once.
"""

from collections.abc import Mapping
from itertools import product
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from PIL import Image

from idr_assets.imaging import colours
from idr_assets.imaging.montage_sheet import GAP, MARGIN, Sheet
from idr_assets.imaging.picture_artist import Picture
from idr_assets.imaging.planes import LabelledPlane, Plane
from idr_assets.imaging.scale_bar import round_length

_INK, _FAINT, _PAPER = "#1a1a1a", "#5f5f5f", "#f4f4f4"
_CENTRED = {"horizontalalignment": "center", "verticalalignment": "center"}
_CAPTION = (
    "Rows: timepoints T. Columns: slices Z. Above each plane: its t, c, z and, after the dot, its number of objects. "
    "Grey: intensity in arbitrary units, one range for all planes of a channel. Colours tell neighbouring objects "
    "apart and mean nothing else."
)
_MISSING = " Hatched: planes not materialized."

type PlaneKey = tuple[int, int, int]
type Planes = Mapping[PlaneKey, LabelledPlane | None]


def montage(
    planes: Planes, *, title: str, omitted: int = 0, pixel_size: float | None = None, units: str = "µm"
) -> Figure:
    """Draw the planes of a window as rows T and columns Z, a group of rows for each channel.

    Keys are (t, c, z). A plane that is None, or that the grid needs and `planes` lacks, is drawn as not materialized;
    `omitted` planes were left out evenly, which the caption says. `pixel_size` is the side of a pixel in `units` and
    adds a scale bar. Raises ValueError where there is no key at all.
    """
    if not planes:
        message = f"Montage '{title}' has no planes and cannot be laid out: give at least one key (t, c, z)."
        raise ValueError(message)
    sheet = _sheet(planes, title, omitted)
    figure = sheet.figure()
    axes = figure.axes[0]
    _write(axes, MARGIN, MARGIN, "\n".join(sheet.headline), fontsize=10, fontweight="bold", verticalalignment="top")
    for c in sheet.c:
        _draw_channel(axes, sheet, c, planes)
        if pixel_size is not None:
            _draw_scale_bar(axes, sheet, c, pixel_size, units)
    caption = "\n".join(sheet.caption)
    _write(axes, MARGIN, sheet.caption_top, caption, fontsize=7, color=_FAINT, verticalalignment="top")
    return figure


def drawn(figure: Figure) -> Image.Image:
    """Draw `figure` of `montage` as RGB picture, every pixel of a plane on whole dots."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # type: ignore[no-untyped-call]
    return Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")  # type: ignore[no-untyped-call]


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
    _write(axes, MARGIN, y, f"channel {c}", fontsize=8.5, fontweight="bold", verticalalignment="center")
    if drawn:
        _draw_grey_range(axes, MARGIN + 180, y, *grey_range)
    for t, z in product(sheet.t, sheet.z):
        _draw_panel(axes, sheet, Plane(t, c, z), planes.get((t, c, z)), grey_range)


def _draw_grey_range(axes: Axes, x: int, y: int, black: float, white: float) -> None:
    ramp = np.linspace(0, 255, 120).astype(np.uint8)[np.newaxis, :, np.newaxis].repeat(18, 0).repeat(3, 2)
    axes.add_artist(Picture(ramp, x, y - 9))
    axes.add_patch(Rectangle((x, y - 9), 120, 18, fill=False, edgecolor=_FAINT, linewidth=0.5))
    _write(axes, x + 134, y, f"{black:.6g} to {white:.6g} a.u.", fontsize=7.5, verticalalignment="center")


def _draw_panel(
    axes: Axes, sheet: Sheet, name: Plane, plane: LabelledPlane | None, grey_range: tuple[float, float]
) -> None:
    x, y = sheet.corner(name)
    if plane:
        shades, coloured = colours.fit(colours.grey(plane.pixels, *grey_range), plane.labels, sheet.side)
        outline = max(1, sheet.panel[0] // sheet.shape[0] // 2)
        axes.add_artist(Picture(colours.overlay(shades, coloured, outline), x, y))
        _write(axes, x, y - 8, f"{name} · {colours.count_objects(plane.labels)}", fontsize=7)
    else:
        height, width = sheet.panel
        axes.add_patch(Rectangle((x, y), width, height, facecolor=_PAPER, edgecolor="#d6d6d6", hatch="///", lw=0))
        _write(axes, x, y - 8, str(name), fontsize=7, color=_FAINT)
        style = {"fontsize": 7, "color": _FAINT, "backgroundcolor": _PAPER}
        _write(axes, x + width / 2, y + height / 2, "not materialized", **_CENTRED, **style)


def _draw_scale_bar(axes: Axes, sheet: Sheet, c: int, pixel_size: float, units: str) -> None:
    """Draw a bar of a round length, about a fifth of a panel, at the right end of the channel's heading."""
    width = sheet.shape[1] * pixel_size
    length = round_length(width / 5)
    dots = sheet.panel[1] * length / width
    right, y = sheet.width - MARGIN, sheet.heading(c)
    axes.add_patch(Rectangle((right - dots, y - 4), dots, 8, facecolor=_INK, linewidth=0, gid="scale bar"))
    style = {"fontsize": 7.5, "horizontalalignment": "right", "verticalalignment": "center"}
    _write(axes, right - dots - GAP, y, f"{length:g} {units}", **style)


def _write(axes: Axes, x: float, y: float, text: str, **style: Any) -> None:  # noqa: ANN401 - matplotlib's own
    axes.text(x, y, text, parse_math=False, **({"color": _INK} | style))
