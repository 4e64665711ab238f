"""The line above a group of panels, with its name, colour and range of greys, and the scale bar at its end."""

from typing import NamedTuple

import numpy as np

from idr_assets.imaging.figures.drawing import FAINT, INK
from idr_assets.imaging.figures.marks import draw_picture, fit_text, text_width, write
from idr_assets.imaging.figures.plotting import Axes, Rectangle
from idr_assets.imaging.figures.scale_bar import round_length

HEIGHT = 66
"""Dots of the line."""

_MOST_NAME, _LEAST_NAME = 810, 156  # dots of a name: longer ones are cut
_NAME, _RANGE = (8.5, "bold"), 7.5  # size and weight of letters
_GAP = 24
_RAMP = 120, 18  # width and height of the range of greys
_BAR = 8  # height of a scale bar


class Head(NamedTuple):
    """Name of a group; the colour that the image gives its channel, and the intensities of black and white, if any."""

    name: str
    colour: str | None = None
    grey: tuple[float, float] | None = None

    @property
    def width(self) -> int:
        """Dots that it takes."""
        return self._ramp + (_RAMP[0] + 14 + text_width(self._range, _RANGE) if self.grey else 0)

    def draw(self, axes: Axes, x: int, y: int) -> None:
        """Draw it from `x`, around the line at `y`."""
        if self.colour:
            side = _RAMP[1]
            place = x, y - side // 2
            axes.add_patch(Rectangle(place, side, side, facecolor=f"#{self.colour}", edgecolor=FAINT, linewidth=0.5))
        size, weight = _NAME
        style = {"fontsize": size, "fontweight": weight, "verticalalignment": "center"}
        write(axes, x + self._start, y, self._short, **style)
        if self.grey:
            self._draw_range(axes, x + self._ramp, y)

    @property
    def _short(self) -> str:
        return fit_text(self.name, _MOST_NAME - self._start, *_NAME)

    @property
    def _start(self) -> int:
        return _RAMP[1] + 12 if self.colour else 0

    @property
    def _ramp(self) -> int:
        """Where the range of greys starts."""
        return self._start + max(_LEAST_NAME, text_width(self._short, *_NAME)) + _GAP

    @property
    def _range(self) -> str:
        return "{:.6g} to {:.6g} a.u.".format(*self.grey or ())

    def _draw_range(self, axes: Axes, x: int, y: int) -> None:
        width, height = _RAMP
        ramp = np.linspace(0, 255, width).astype(np.uint8)[np.newaxis, :, np.newaxis].repeat(height, 0).repeat(3, 2)
        draw_picture(axes, x, y - height // 2, ramp)
        axes.add_patch(Rectangle((x, y - height // 2), width, height, fill=False, edgecolor=FAINT, linewidth=0.5))
        write(axes, x + width + 14, y, self._range, fontsize=_RANGE, verticalalignment="center")


class ScaleBar(NamedTuple):
    """A bar of a round length, about a fifth of a panel; `dot` is the length in µm that a dot shows."""

    panel: int
    dot: float

    @property
    def width(self) -> int:
        """Dots that it takes, with a gap before it."""
        return round(2 * _GAP + text_width(self._text, _RANGE) + self._length / self.dot)

    def draw(self, axes: Axes, right: int, y: int) -> None:
        """Draw it up to `right`."""
        width = self._length / self.dot
        axes.add_patch(Rectangle((right - width, y - _BAR / 2), width, _BAR, facecolor=INK, lw=0, gid="scale bar"))
        style = {"fontsize": _RANGE, "horizontalalignment": "right", "verticalalignment": "center"}
        write(axes, right - width - _GAP, y, self._text, **style)

    @property
    def _length(self) -> float:
        return round_length(self.panel * self.dot / 5)

    @property
    def _text(self) -> str:
        return f"{self._length:g} µm"
