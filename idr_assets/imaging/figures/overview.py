"""The overview of a list of images: a labelled plane of each, in groups."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from idr_assets.imaging.figures.drawing import default_style
from idr_assets.imaging.figures.panels import Layout, Panel, draw_panels
from idr_assets.imaging.figures.plotting import Figure
from idr_assets.imaging.planes import LabelledPlane

_CAPTION = (
    "The plane in the middle of the window of each image, in its first channel. Above it: the image and, after the "
    "dot, the number of objects of this plane. Grey: intensity, each plane from its own darkest to its own brightest "
    "part. Colours tell neighbouring objects apart and mean nothing else."
)
_SIDE, _COLUMNS = 300, 6  # dots of a panel, and panels of a row


class Thumbnail(NamedTuple):
    """A plane of an image, None if it is not stored; thumbnails of a group stand together."""

    name: str
    group: str
    plane: LabelledPlane | None


@default_style()
def draw_overview(
    thumbnails: Sequence[Thumbnail], *, title: str, omitted: int = 0, group_by: str | None = None
) -> Figure:
    """Draw thumbnails in rows, in groups below their names, in the order in which these come.

    `omitted` images were left out evenly; the caption states it. `group_by` says what groups have in common.
    """
    groups: dict[str, list[Panel]] = {}
    for name, group, plane in thumbnails:
        heading = f"{group_by}: {group}" if group_by else f"{len(thumbnails)} images"
        groups.setdefault(heading, []).append(_panel(name, plane))
    rows = {name: [it[at : at + _COLUMNS] for at in range(0, len(it), _COLUMNS)] for name, it in groups.items()}
    left_out = f" {omitted} more images are left out, evenly." if omitted else ""
    return draw_panels(rows, Layout(_SIDE, _SIDE), title=title, caption=_CAPTION + left_out, alike=False)


def _panel(name: str, plane: LabelledPlane | None) -> Panel:
    """Thin a plane to about the dots of a panel, so that planes of many large images fit into memory."""
    if plane is None:
        return Panel(name, None)
    step = max(1, max(plane.pixels.shape) // (2 * _SIDE))
    thin = replace(plane, pixels=plane.pixels[::step, ::step].copy(), labels=plane.labels[::step, ::step].copy())
    return Panel(f"{name} · {plane.count}", thin)
