"""A picture in a figure, dot for dot."""

import numpy as np
from matplotlib.artist import Artist
from matplotlib.backend_bases import RendererBase

from idr_assets.imaging.colours import Bytes


class Picture(Artist):
    """An opaque RGBA picture (y, x, 4) whose left upper dot is `x`, `y`, from the left upper one of the figure.

    matplotlib's own images are resampled even where each pixel falls on a dot, which takes ten times as long.
    """

    zorder = 0

    def __init__(self, picture: Bytes, x: int, y: int) -> None:
        """Place a picture; nothing is copied before it is drawn."""
        super().__init__()
        self.picture, self.x, self.y = picture, x, y

    def draw(self, renderer: RendererBase) -> None:
        """Put the dots onto the canvas, which is opaque; only a renderer of dots, Agg, has one."""
        height, width, _ = self.picture.shape
        canvas = np.asarray(renderer.buffer_rgba())  # type: ignore[attr-defined]
        canvas[self.y : self.y + height, self.x : self.x + width] = self.picture
