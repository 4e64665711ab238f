"""What every figure is made of: panels with a plane and its labels, text, the scale bar.

Lengths are dots of `DPI` from the figure's left upper corner, so that pixels fall on whole dots. Where a panel stands
is the figure's affair.
"""

from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from idr_assets.imaging import colours
from idr_assets.imaging.planes import LabelledPlane
from idr_assets.imaging.scale_bar import round_length

INK, FAINT, PAPER = "#1a1a1a", "#5f5f5f", "#f4f4f4"
DPI: Final = 216
MARGIN: Final = 60
GAP: Final = 18
"""Between two panels, and between a scale bar and its length."""

_CENTRED = {"horizontalalignment": "center", "verticalalignment": "center"}


def empty_sheet(width: int, height: int) -> Figure:
    """Make a figure with one axes, whose data coordinates are dots."""
    figure = Figure(figsize=(width / DPI, height / DPI), dpi=DPI, facecolor="white")
    figure.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(height, 0)).set_axis_off()
    return figure


def plane_picture(plane: LabelledPlane, side: int, grey: tuple[float, float]) -> colours.Bytes:
    """Return `plane` as RGBA: its pixels, greys from black to white of `grey`, below its labels, `side` at most."""
    shades, coloured = colours.fit(colours.grey(plane.pixels, *grey), plane.labels, side)
    return colours.overlay(shades, coloured, max(1, shades.shape[0] // plane.pixels.shape[0] // 2))


def draw_absence(axes: Axes, corner: tuple[int, int], shape: tuple[int, int]) -> None:
    """Draw a panel of `shape` (y, x) that says that its plane is not materialized."""
    (x, y), (height, width) = corner, shape
    axes.add_patch(Rectangle((x, y), width, height, facecolor=PAPER, edgecolor="#d6d6d6", hatch="///", lw=0))
    style = {"fontsize": 7, "color": FAINT, "backgroundcolor": PAPER}
    write(axes, x + width / 2, y + height / 2, "not materialized", **_CENTRED, **style)


def draw_scale_bar(axes: Axes, end: tuple[float, float], panel: int, dot: float) -> None:
    """Draw a bar of a round length, about a fifth of a panel so many dots wide, a dot being `dot` micrometres."""
    right, y = end
    length = round_length(panel * dot / 5)
    bar = length / dot
    axes.add_patch(Rectangle((right - bar, y - 4), bar, 8, facecolor=INK, linewidth=0, gid="scale bar"))
    style = {"fontsize": 7.5, "horizontalalignment": "right", "verticalalignment": "center"}
    write(axes, right - bar - GAP, y, f"{length:g} µm", **style)


def write(axes: Axes, x: float, y: float, text: str, **style: Any) -> None:  # noqa: ANN401 - matplotlib's own
    """Write text as it is, without reading mathematics into it."""
    axes.text(x, y, text, parse_math=False, **({"color": INK} | style))
