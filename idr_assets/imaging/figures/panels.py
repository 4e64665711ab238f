"""A sheet of panels, each a plane with its labels. `montage` and `comparison` say which.

Lengths are dots of `DPI` from the upper left corner of the sheet, so that pixels fall on whole dots.
"""

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import batched
from typing import Any, NamedTuple

from idr_assets.imaging.channels import UNNAMED, Channel, title_channel
from idr_assets.imaging.figures import colours
from idr_assets.imaging.figures.drawing import DPI, FAINT, INK, PAPER
from idr_assets.imaging.figures.heads import HEIGHT, Head, ScaleBar
from idr_assets.imaging.figures.marks import draw_picture, fit_text, text_width, write
from idr_assets.imaging.figures.plotting import Axes, Figure, Rectangle
from idr_assets.imaging.planes import LabelledPlane

_MARGIN, _GAP = 60, 18  # around the sheet, and between two panels
_LEAST_WIDTH = 930  # of a sheet
_HEADING, _LETTERS = 30, 7  # height above a panel, and size of the letters there
_HEADLINE, _CAPTION = (20, 48), (11, 33)  # width of a letter on average, height of a line
_ABSENT = "not materialized"
_MISSING = f" Hatched: planes {_ABSENT}."
_COLOURED = " Square: the colour that the image gives a channel."


class Panel(NamedTuple):
    """A plane below its heading; None if it is not materialized. A panel without a heading is left empty."""

    heading: str
    plane: LabelledPlane | None


class Layout(NamedTuple):
    """The longer side of a panel, the least width of a column, and groups beside each other.

    A column is up to half as wide again if its headings need it; longer ones are cut.
    """

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
    panels = [panel for rows in channels.values() for row in rows for panel in row if panel.heading]
    stored = [panel.plane for panel in panels if panel.plane]
    shape = colours.fitted_shape(stored[0].pixels.shape if stored and alike else (1, 1), layout.side)
    groups: Iterable[tuple[int | str, Rows]] = channels.items()
    heads = [(_head(c, rows, known, alike=alike), rows) for c, rows in groups]
    bar = None
    if pixel_size is not None and stored:  # the width of a plane is unknown without a stored one
        bar = ScaleBar(shape[1], pixel_size * stored[0].pixels.shape[1] / shape[1])
    figure = Figure(dpi=DPI, facecolor="white")
    room = _Room(
        columns=max(len(row) for rows in channels.values() for row in rows),
        heading=max((text_width(it.heading, _LETTERS) for it in panels), default=0),
        head=max(head.width for head, _ in heads),
        bar=bar.width if bar else 0,
    )
    sheet = _Sheet(figure, figure.add_axes((0, 0, 1, 1)), shape, layout, room)
    y = sheet.write_lines(_MARGIN, title, _HEADLINE, fontsize=10, fontweight="bold")
    for line in batched(heads, layout.groups):
        if bar:
            bar.draw(sheet.axes, sheet.width - _MARGIN, y + HEIGHT // 2)
        y = max(sheet.draw_group(_MARGIN + at * sheet.group, y, *group) for at, group in enumerate(line))
    coloured = any(channel.colour for c, channel in known.items() if c in channels)
    text = caption + (_COLOURED if coloured else "") + (_MISSING if len(stored) < len(panels) else "")
    return sheet.cut(sheet.write_lines(y + _GAP, text, _CAPTION, fontsize=7, color=FAINT, linespacing=1.5) + _MARGIN)


def omission(planes: int) -> str:
    """State in a caption how many planes were left out."""
    return f" {planes} more planes of the window are left out, evenly." if planes else ""


def _head(c: int | str, rows: Rows, known: Mapping[int, Channel], *, alike: bool) -> Head:
    if isinstance(c, str):
        return Head(c)
    planes = [panel.plane.pixels for row in rows for panel in row if panel.plane]
    grey = colours.contrast(planes) if planes and alike else None
    return Head(title_channel(c, known), known.get(c, Channel()).colour, grey)


class _Room(NamedTuple):
    """What needs room: columns of a group, and the widths of the widest heading, the widest head, and the bar."""

    columns: int
    heading: int
    head: int
    bar: int


@dataclass(frozen=True)
class _Sheet:
    """A sheet that is drawn from top to bottom; `panel` is the height and width of a panel."""

    figure: Figure
    axes: Axes
    panel: tuple[int, int]
    layout: Layout
    room: _Room

    @property
    def step(self) -> int:
        column = max(self.panel[1], self.layout.column)
        return max(column, min(self.room.heading + _GAP, column * 3 // 2)) + _GAP

    @property
    def group(self) -> int:
        """Dots from a group to that beside it."""
        return max(self.room.columns * self.step, (self.room.head + 2 * _GAP) * (self.layout.groups > 1))

    @property
    def width(self) -> int:
        heads = (self.layout.groups - 1) * self.group + self.room.head + self.room.bar
        return 2 * _MARGIN + max(_LEAST_WIDTH - 2 * _MARGIN, self.layout.groups * self.group - _GAP, heads)

    def write_lines(self, y: int, text: str, letter: tuple[int, int], **style: Any) -> int:  # noqa: ANN401 - matplotlib's
        """Write text across the sheet, and return where it ends."""
        lines = textwrap.wrap(text, (self.width - 2 * _MARGIN) // letter[0])
        write(self.axes, _MARGIN, y, "\n".join(lines), verticalalignment="top", **style)
        return y + letter[1] * len(lines)

    def draw_group(self, left: int, y: int, head: Head, rows: Rows) -> int:
        """Draw the panels of a group below its head, and return where they end."""
        head.draw(self.axes, left, y + HEIGHT // 2)
        y += HEIGHT
        for row in rows:
            for column, panel in enumerate(row):
                own = head.grey or (colours.contrast([panel.plane.pixels]) if panel.plane else (0, 0))
                self.draw_panel(left + column * self.step, y + _HEADING, panel, own)
            y += _HEADING + self.panel[0] + _GAP
        return y

    def draw_panel(self, x: int, y: int, panel: Panel, grey: tuple[float, float]) -> None:
        """Draw a plane with its heading; `grey` holds the intensities of black and white."""
        if not panel.heading:
            return
        heading = fit_text(panel.heading, self.step - _GAP, _LETTERS)
        write(self.axes, x, y - 8, heading, fontsize=_LETTERS, color=INK if panel.plane else FAINT)
        if not panel.plane:
            self.draw_absence(x, y)
            return
        pixels, labels = panel.plane.pixels, panel.plane.labels
        shades, coloured = colours.fit(colours.grey(pixels, *grey), labels, self.layout.side)
        line = max(1, shades.shape[0] // pixels.shape[0] // 2)
        draw_picture(self.axes, x, y, colours.overlay(shades, coloured, line))

    def draw_absence(self, x: int, y: int) -> None:
        height, width = self.panel
        hatched = Rectangle((x, y), width, height, facecolor=PAPER, edgecolor="#d6d6d6", hatch="///", linewidth=0)
        self.axes.add_patch(hatched)
        if text_width(_ABSENT, _LETTERS) > width:  # the caption says what is hatched
            return
        style = {"horizontalalignment": "center", "verticalalignment": "center", "backgroundcolor": PAPER}
        write(self.axes, x + width / 2, y + height / 2, _ABSENT, fontsize=_LETTERS, color=FAINT, **style)

    def cut(self, height: int) -> Figure:
        """Set the size of the figure, and dots as the coordinates of its axes."""
        self.axes.set(xlim=(0, self.width), ylim=(height, 0))
        self.axes.set_axis_off()
        self.figure.set_size_inches(self.width / DPI, height / DPI)
        return self.figure
