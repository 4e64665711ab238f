"""A sheet of panels, each a plane with its labels. `montage` and `comparison` say which.

Lengths are dots of `DPI` from the upper left corner of the sheet, so that pixels fall on whole dots.
"""

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import batched
from typing import Any, NamedTuple

import numpy as np

from idr_assets.imaging.channels import UNNAMED, Channel, title_channel
from idr_assets.imaging.figures import colours
from idr_assets.imaging.figures.drawing import DPI, FAINT, INK, PAPER
from idr_assets.imaging.figures.palette import Bytes
from idr_assets.imaging.figures.plotting import Axes, Figure, Rectangle
from idr_assets.imaging.figures.scale_bar import round_length
from idr_assets.imaging.planes import LabelledPlane

_MARGIN, _GAP = 60, 18  # around the sheet, and between two panels
_LEAST_WIDTH = 930  # of a sheet
_GROUP, _HEADING = 66, 30  # heights above a group and above a panel
_HEADLINE, _CAPTION = (20, 48), (11, 33)  # width of a letter on average, height of a line
_BOLD = 18  # width of a letter of the name of a channel
_RAMP = 120, 18  # width and height of the range of greys
_BAR = 8  # height of a scale bar
_MISSING = " Hatched: planes not materialized."
_COLOURED = " Square: the colour that the image gives a channel."


class Panel(NamedTuple):
    """A plane below its heading; None if it is not materialized. A panel without a heading is left empty."""

    heading: str
    plane: LabelledPlane | None


class Layout(NamedTuple):
    """The longer side of a panel, the least width of a column, which headings need, and groups beside each other."""

    side: int
    column: int
    groups: int = 1


type Rows = Sequence[Sequence[Panel]]


def draw_panels(  # noqa: PLR0913
    channels: Mapping[int, Rows] | Mapping[str, Rows],
    layout: Layout,
    *,
    title: str,
    caption: str,
    pixel_size: float | None = None,
    known: Mapping[int, Channel] = UNNAMED,
    alike: bool = True,
) -> Figure:
    """Draw panels as rows and columns, a group of rows for each channel, below a title and above a caption.

    The caption explains hatched panels if there are any. `pixel_size`, in µm, adds a scale bar, and `known` channels
    get their names and colours. Planes that are not `alike` have shapes and ranges of greys of their own, and groups
    with names.
    """
    planes = [panel.plane for rows in channels.values() for row in rows for panel in row if panel.heading]
    stored = [plane for plane in planes if plane]
    shape = stored[0].pixels.shape if stored and alike else (1, 1)
    columns = max(len(row) for rows in channels.values() for row in rows)
    figure = Figure(dpi=DPI, facecolor="white")
    sheet = _Sheet(figure, figure.add_axes((0, 0, 1, 1)), shape, columns, layout)
    y = sheet.write_lines(_MARGIN, title, _HEADLINE, fontsize=10, fontweight="bold")
    groups: Iterable[tuple[int | str, Rows]] = channels.items()
    for line in batched(groups, layout.groups):
        if pixel_size is not None and stored:  # the width of a plane is unknown without a stored one
            sheet.draw_scale_bar(y + _GROUP // 2, pixel_size)
        starts = range(_MARGIN, sheet.width, columns * sheet.step)
        y = max(
            sheet.draw_channel(x, y, c, rows, known, alike=alike) for x, (c, rows) in zip(starts, line, strict=False)
        )
    coloured = any(channel.colour for c, channel in known.items() if c in channels)
    text = caption + (_COLOURED if coloured else "") + (_MISSING if len(stored) < len(planes) else "")
    return sheet.cut(sheet.write_lines(y + _GAP, text, _CAPTION, fontsize=7, color=FAINT, linespacing=1.5) + _MARGIN)


def omission(planes: int) -> str:
    """State in a caption how many planes were left out."""
    return f" {planes} more planes of the window are left out, evenly." if planes else ""


@dataclass(frozen=True)
class _Sheet:
    """A sheet that is drawn from top to bottom; `shape` is the (y, x) shape of a plane."""

    figure: Figure
    axes: Axes
    shape: tuple[int, ...]
    columns: int
    layout: Layout

    @property
    def panel(self) -> tuple[int, int]:
        return colours.fitted_shape(self.shape, self.layout.side)

    @property
    def step(self) -> int:
        return max(self.panel[1], self.layout.column) + _GAP

    @property
    def width(self) -> int:
        return max(_LEAST_WIDTH, 2 * _MARGIN + self.layout.groups * self.columns * self.step - _GAP)

    def write_lines(self, y: int, text: str, letter: tuple[int, int], **style: Any) -> int:  # noqa: ANN401 - matplotlib's
        """Write text across the sheet, and return where it ends."""
        lines = textwrap.wrap(text, (self.width - 2 * _MARGIN) // letter[0])
        self.write(_MARGIN, y, "\n".join(lines), verticalalignment="top", **style)
        return y + letter[1] * len(lines)

    def draw_channel(  # noqa: PLR0913
        self, left: int, y: int, c: int | str, rows: Rows, known: Mapping[int, Channel], *, alike: bool
    ) -> int:
        """Draw the panels of a channel below its name, colour and range of greys, and return where they end."""
        name, colour = (title_channel(c, known), known.get(c, Channel()).colour) if isinstance(c, int) else (c, None)
        planes = [panel.plane.pixels for row in rows for panel in row if panel.plane]
        grey = colours.contrast(planes)
        x = left + (self.draw_colour(left, y + _GROUP // 2, colour) if colour else 0)
        self.write(x, y + _GROUP // 2, name, fontsize=8.5, fontweight="bold", verticalalignment="center")
        if planes and alike:
            self.draw_grey_range(x + max(180, _BOLD * len(name)), y + _GROUP // 2, *grey)
        y += _GROUP
        for row in rows:
            for column, panel in enumerate(row):
                own = grey if alike or not panel.plane else colours.contrast([panel.plane.pixels])
                self.draw_panel(left + column * self.step, y + _HEADING, panel, own)
            y += _HEADING + self.panel[0] + _GAP
        return y

    def draw_colour(self, x: int, y: int, colour: str) -> int:
        """Draw a square in the colour that the image gives a channel, and return how much room it takes."""
        side = _RAMP[1]
        square = Rectangle((x, y - side // 2), side, side, facecolor=f"#{colour}", edgecolor=FAINT, linewidth=0.5)
        self.axes.add_patch(square)
        return side + 12

    def draw_grey_range(self, x: int, y: int, black: float, white: float) -> None:
        width, height = _RAMP
        ramp = np.linspace(0, 255, width).astype(np.uint8)[np.newaxis, :, np.newaxis].repeat(height, 0).repeat(3, 2)
        self.draw_picture(x, y - height // 2, ramp)
        frame = Rectangle((x, y - height // 2), width, height, fill=False, edgecolor=FAINT, linewidth=0.5)
        self.axes.add_patch(frame)
        text = f"{black:.6g} to {white:.6g} a.u."
        self.write(x + width + 14, y, text, fontsize=7.5, verticalalignment="center")

    def draw_panel(self, x: int, y: int, panel: Panel, grey: tuple[float, float]) -> None:
        """Draw a plane with its heading; `grey` holds the intensities of black and white."""
        if not panel.heading:
            return None
        self.write(x, y - 8, panel.heading, fontsize=7, color=INK if panel.plane else FAINT)
        if not panel.plane:
            return self.draw_absence(x, y)
        pixels, labels = panel.plane.pixels, panel.plane.labels
        shades, coloured = colours.fit(colours.grey(pixels, *grey), labels, self.layout.side)
        line = max(1, shades.shape[0] // pixels.shape[0] // 2)
        return self.draw_picture(x, y, colours.overlay(shades, coloured, line))

    def draw_picture(self, x: int, y: int, picture: Bytes) -> None:
        height, width = picture.shape[:2]
        self.axes.imshow(picture, extent=(x, x + width, y + height, y), aspect="auto", interpolation="nearest")

    def draw_absence(self, x: int, y: int) -> None:
        height, width = self.panel
        hatched = Rectangle((x, y), width, height, facecolor=PAPER, edgecolor="#d6d6d6", hatch="///", linewidth=0)
        self.axes.add_patch(hatched)
        style = {"horizontalalignment": "center", "verticalalignment": "center", "backgroundcolor": PAPER}
        self.write(x + width / 2, y + height / 2, "not materialized", fontsize=7, color=FAINT, **style)

    def draw_scale_bar(self, y: int, pixel_size: float) -> None:
        """Draw a bar of a round length, about a fifth of a panel, at the right of the sheet."""
        dot, right = pixel_size * self.shape[1] / self.panel[1], self.width - _MARGIN
        length = round_length(self.panel[1] * dot / 5)
        left = right - length / dot
        self.axes.add_patch(Rectangle((left, y - _BAR / 2), length / dot, _BAR, facecolor=INK, lw=0, gid="scale bar"))
        style = {"fontsize": 7.5, "horizontalalignment": "right", "verticalalignment": "center"}
        self.write(left - _GAP, y, f"{length:g} µm", **style)

    def write(self, x: float, y: float, text: str, **style: Any) -> None:  # noqa: ANN401 - matplotlib's own
        """Write text literally: `$` does not start mathematics."""
        self.axes.text(x, y, text, parse_math=False, **({"color": INK} | style))

    def cut(self, height: int) -> Figure:
        """Set the size of the figure, and dots as the coordinates of its axes."""
        self.axes.set(xlim=(0, self.width), ylim=(height, 0))
        self.axes.set_axis_off()
        self.figure.set_size_inches(self.width / DPI, height / DPI)
        return self.figure
