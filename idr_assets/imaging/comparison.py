"""Several segmentations of the same planes side by side, for people who choose between them."""

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from idr_assets.imaging import colours
from idr_assets.imaging.panels import (
    FAINT,
    GAP,
    MARGIN,
    draw_absence,
    draw_scale_bar,
    empty_sheet,
    plane_picture,
    write,
)
from idr_assets.imaging.picture_artist import Picture
from idr_assets.imaging.planes import LabelledPlane, Plane

_CAPTION = (
    "A row for each plane, a column for each segmentation after the pixels alone; above its panels the number of "
    "objects. Grey: intensity in arbitrary units, {ranges}. Colours tell neighbouring objects apart and mean nothing "
    "else."
)
_MISSING = " Hatched: planes not materialized."
_ROW, _LEAST_PANEL, _MOST_PANEL = 2400, 400, 540  # dots: of a row, as far as that leaves each panel least and most
_TITLE, _TOP, _BOTTOM = 30, 160, 160  # heights: above a panel, above and below all rows
_LETTER = 11  # width of a letter of the caption, on average

type PlaneKey = tuple[int, int, int]
type Grey = tuple[float, float]
type Rows = Mapping[PlaneKey, Sequence[LabelledPlane | None]]


def comparison(
    rows: Rows, names: Sequence[str], *, title: str, omitted: int = 0, pixel_size: float | None = None
) -> Figure:
    """Draw planes, by (t, c, z), as rows and segmentations as columns, in the order of `names`.

    A plane that a segmentation has not labelled is None, and drawn as not materialized; `omitted` planes were left out
    evenly, which the caption says. `pixel_size` is in micrometres and adds a scale bar. Raises ValueError where there
    is no row.
    """
    if not rows:
        message = f"The comparison '{title}' has no planes and cannot be laid out: give at least one (t, c, z)."
        raise ValueError(message)
    grid = _Grid(
        len(rows), 1 + len(names), next((it.pixels.shape for row in rows.values() for it in row if it), (1, 1))
    )
    figure = empty_sheet(grid.width, grid.height)
    axes = figure.axes[0]
    write(axes, MARGIN, MARGIN, title, fontsize=10, fontweight="bold", verticalalignment="top")
    alone = {key: _unlabelled(row) for key, row in rows.items()}
    ranges = {c: colours.contrast([it.pixels for it in alone.values() if it and it.c == c]) for _, c, _ in rows}
    text = _caption(ranges, omitted, missing=not all(plane for row in rows.values() for plane in row))
    caption = "\n".join(textwrap.wrap(text, (grid.width - 2 * MARGIN) // _LETTER))
    write(axes, MARGIN, grid.height - _BOTTOM, caption, fontsize=7, color=FAINT, verticalalignment="top")
    if pixel_size:
        dot = pixel_size * grid.shape[1] / grid.panel[1]
        draw_scale_bar(axes, (grid.width - MARGIN, MARGIN + GAP), grid.panel[1], dot)
    for index, (key, row) in enumerate(rows.items()):
        labelled = [(_named(name, plane), plane) for name, plane in zip(names, row, strict=True)]
        _draw_row(axes, grid, index, [(str(Plane(*key)), alone[key]), *labelled], ranges[key[1]])
    return figure


def _caption(ranges: Mapping[int, Grey], omitted: int, *, missing: bool) -> str:
    told = ", ".join(f"channel {c} from {black:.6g} to {white:.6g}" for c, (black, white) in ranges.items())
    thinned = f" {omitted} more planes of the window are left out, evenly." if omitted else ""
    return _CAPTION.format(ranges=told) + thinned + (_MISSING if missing else "")


@dataclass(frozen=True)
class _Grid:
    """Where the panels of planes of `shape` (y, x) stand, in dots."""

    rows: int
    columns: int
    shape: tuple[int, ...]

    @property
    def side(self) -> int:
        return min(_MOST_PANEL, max(_LEAST_PANEL, _ROW // self.columns))

    @property
    def panel(self) -> tuple[int, int]:
        return colours.fitted_shape(self.shape, self.side)

    @property
    def width(self) -> int:
        return self.corner(0, self.columns)[0] - GAP + MARGIN

    @property
    def height(self) -> int:
        return self.corner(self.rows, 0)[1] + _BOTTOM

    def corner(self, row: int, column: int) -> tuple[int, int]:
        height, width = self.panel
        step = max(width, _LEAST_PANEL) + GAP
        return MARGIN + column * step, _TOP + _TITLE + row * (height + _TITLE + GAP)


def _draw_row(axes: Axes, grid: _Grid, index: int, row: Iterable[tuple[str, LabelledPlane | None]], grey: Grey) -> None:
    """Draw the panels of a row, each below its heading."""
    for column, (heading, plane) in enumerate(row):
        x, y = corner = grid.corner(index, column)
        write(axes, x, y - 8, heading, fontsize=7)
        if plane:
            axes.add_artist(Picture(plane_picture(plane, grid.side, grey), *corner))
        else:
            draw_absence(axes, corner, grid.panel)


def _named(name: str, plane: LabelledPlane | None) -> str:
    return f"{name} · {colours.count_objects(plane.labels)}" if plane else name


def _unlabelled(row: Sequence[LabelledPlane | None]) -> LabelledPlane | None:
    """Give the plane's pixels alone, from whichever segmentation has them."""
    found = next((plane for plane in row if plane), None)
    return found and replace(found, labels=np.zeros_like(found.labels))
