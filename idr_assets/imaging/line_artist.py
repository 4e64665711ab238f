"""A line of text in a figure, drawn at once."""

from functools import cache

import numpy as np
from matplotlib.backend_bases import RendererBase
from matplotlib.colors import to_rgb
from matplotlib.font_manager import findfont
from matplotlib.text import Text
from PIL import Image, ImageDraw, ImageFont


class Line(Text):
    """A line that starts at its position, on the baseline, in a colour without transparency.

    matplotlib lays each letter out and draws it by itself, which takes ten times as long as Pillow with the same font.
    """

    def draw(self, renderer: RendererBase) -> None:
        """Put the letters onto the canvas, what lies beyond it left out; only a renderer of dots, Agg, has one."""
        canvas = np.asarray(renderer.buffer_rgba())  # type: ignore[attr-defined]
        size = float(np.asarray(renderer.points_to_pixels(self.get_fontsize())))
        font = _font(findfont(self.get_fontproperties()), size)
        x, up = self.get_transform().transform(self.get_position()).round().astype(int).tolist()
        y = len(canvas) - up
        left, top, right, bottom = (round(edge) for edge in font.getbbox(self.get_text(), anchor="ls"))
        rows = slice(max(0, y + top), max(0, y + bottom))
        columns = slice(max(0, x + left), max(0, x + right))
        place = canvas[rows, columns, :3]
        mask = Image.new("L", (place.shape[1], place.shape[0]))
        at = x - columns.start, y - rows.start
        ImageDraw.Draw(mask).text(at, self.get_text(), fill=255, font=font, anchor="ls")
        cover = np.asarray(mask)[..., np.newaxis] / 255
        place[:] = (place * (1 - cover) + np.multiply(to_rgb(self.get_color()), 255) * cover).round()


@cache
def _font(path: str, size: float) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(path, size, index=getattr(path, "face_index", 0))  # of a file with several
