"""The geometry of a montage: where panels, headings and lines of text stand.

Lengths are dots, counted from the top left. What is drawn there stands in
`figures`.
"""

import textwrap
from dataclasses import dataclass

from matplotlib.figure import Figure

from idr_assets.imaging.colours import fitted_shape
from idr_assets.imaging.panels import GAP, MARGIN, empty_sheet
from idr_assets.imaging.planes import Plane

_PANELS = 1620  # the panels of the longer side together, as far as that leaves each between least and most
_LEAST_PANEL, _MOST_PANEL = 270, 810
_PANEL_TITLE, _HEADING, _HEADLINE, _CAPTION_LINE = 30, 66, 48, 33  # heights
_DESCENT = 11  # below the letters of a line of the caption
_HEADLINE_LETTER, _CAPTION_LETTER = 20, 11  # widths at the font sizes of `figures`, on average


@dataclass(frozen=True)
class Sheet:
    """Rows T, columns Z, a group of rows for each channel, text above and below."""

    title: str
    text: str
    t: list[int]
    c: list[int]
    z: list[int]
    shape: tuple[int, ...]  # of a plane: y, x

    @property
    def side(self) -> int:
        """Longer side of a panel at most."""
        longest = max(len(self.z), len(self.t) * len(self.c))
        return min(_MOST_PANEL, max(_LEAST_PANEL, _PANELS // longest))

    @property
    def panel(self) -> tuple[int, int]:
        """Height and width of a panel."""
        return fitted_shape(self.shape, self.side)

    @property
    def width(self) -> int:
        """Width of the sheet."""
        return 2 * MARGIN + max(_MOST_PANEL, len(self.z) * self._step[1] - GAP)

    @property
    def headline(self) -> list[str]:
        """Lines of the title."""
        return textwrap.wrap(self.title, (self.width - 2 * MARGIN) // _HEADLINE_LETTER)

    @property
    def caption(self) -> list[str]:
        """Lines of the text below the panels."""
        return textwrap.wrap(self.text, (self.width - 2 * MARGIN) // _CAPTION_LETTER)

    def baseline(self, line: int) -> int:
        """Where the letters of a line of the caption stand."""
        return self._group_top(len(self.c)) + GAP + (line + 1) * _CAPTION_LINE - _DESCENT

    def heading(self, c: int) -> int:
        """Middle of the line above the panels of channel `c`."""
        return self._group_top(self.c.index(c)) + _HEADING // 2

    def corner(self, plane: Plane) -> tuple[int, int]:
        """Left and upper edge of the panel of `plane`."""
        top = self._group_top(self.c.index(plane.c)) + _HEADING + _PANEL_TITLE
        return MARGIN + self.z.index(plane.z) * self._step[1], top + self.t.index(plane.t) * self._step[0]

    def figure(self) -> Figure:
        """Make an empty figure with one axes, whose data coordinates are the sheet's dots."""
        return empty_sheet(self.width, self.baseline(len(self.caption) - 1) + _DESCENT + MARGIN)

    @property
    def _step(self) -> tuple[int, int]:
        """Return the distances from one panel to the next below and to the right."""
        return self.panel[0] + _PANEL_TITLE + GAP, max(self.panel[1], _LEAST_PANEL) + GAP

    def _group_top(self, group: int) -> int:
        return MARGIN + _HEADLINE * len(self.headline) + group * (_HEADING + len(self.t) * self._step[0])
