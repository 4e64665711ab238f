"""A picture in a figure, dot for dot."""

import numpy as np
from matplotlib.artist import Artist
from matplotlib.backend_bases import RendererBase

from idr_assets.imaging.colours import Bytes


class Picture(Artist):
    """An RGB picture (y, x, 3) whose left upper dot is `x`, `y`, from the left upper one of the figure.

    matplotlib's own images are resampled even where each pixel falls on a dot, which takes ten times as long.
    """

    zorder = 0

    def __init__(self, picture: Bytes, x: int, y: int) -> None:
        """Place a picture; nothing is copied before it is drawn."""
        super().__init__()
        self.picture, self.x, self.y = picture, x, y

    def draw(self, renderer: RendererBase) -> None:
        """Put the dots onto the canvas."""
        opaque = np.dstack([self.picture, np.full(self.picture.shape[:2], 255, np.uint8)])
        # The renderer counts from below, and takes the lowest row first.
        bottom = renderer.get_canvas_width_height()[1] - self.y - len(opaque)
        renderer.draw_image(renderer.new_gc(), self.x, bottom, opaque[::-1])
