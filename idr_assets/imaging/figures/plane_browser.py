"""The page with a slider over the planes: one HTML file that needs no network and no server.

This module decides what the page holds and how large it may be. `plane_browser.html` is its layout, `plane_browser.js`
its behaviour.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from jinja2 import Environment, PackageLoader

from idr_assets.imaging.channels import UNNAMED, Channel
from idr_assets.imaging.figures import colours, tiles
from idr_assets.imaging.figures.plane_entries import TIMEPOINTS, Rows, fit_entries
from idr_assets.imaging.figures.scale_bar import round_length
from idr_assets.imaging.planes import LabelledPlane

_NO_PROVENANCE: Final[Mapping[str, str]] = MappingProxyType({})


def plane_browser(  # noqa: PLR0913
    planes: Sequence[LabelledPlane | None],
    *,
    title: str,
    omitted: int = 0,
    pixel_size: float | None = None,
    provenance: Mapping[str, str] = _NO_PROVENANCE,
    channels: Mapping[int, Channel] = UNNAMED,
    rows: Rows = TIMEPOINTS,
) -> str:
    """Return a page that shows the pixels, labels and overlay of each plane side by side.

    Parameters
    ----------
    planes
        In any order; the page sorts them by c, t, z. None is a plane that is not materialized. Pictures are reduced
        until the page fits `PAGE_BYTES`, and large planes get tiles to zoom into; the page states what it shows.
    title
        The heading.
    omitted
        Number of planes that were left out evenly; the page states it.
    pixel_size
        In µm; adds a scale bar.
    provenance
        Lines to print below the pictures, by their names.
    channels
        Names and colours of channels, as far as they are known.
    rows
        What `t` of the planes stands for.

    Returns
    -------
    str
        The HTML.
    """
    there = [plane for plane in planes if plane]
    shape = there[0].pixels.shape if there else (1, 1)
    entries, side, detail = fit_entries(there, shape, channels, rows)
    shown = colours.fitted_shape(shape, side)
    templates = Environment(
        loader=PackageLoader(__package__, ""), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    return templates.get_template("plane_browser.html").render(
        title=title,
        planes=entries,
        channels={c: channels[c] for c in sorted({plane.c for plane in there}) if c in channels},
        rows=rows,
        omitted=omitted,
        missing=len(planes) - len(there),
        shape=shape,
        shown=shown,
        detail=detail,
        tile_side=tiles.SIDE,
        scale=_scale(shape[1], pixel_size),
        grey_range=colours.GREY_RANGE,
        provenance=provenance,
    )


def _scale(width: int, pixel_size: float | None) -> dict[str, Any] | None:
    """Return the label of the scale bar, its width in per cent of a picture, and the width of a picture in µm."""
    if pixel_size is None:
        return None
    length = round_length(width * pixel_size / 5)
    share = round(100 * length / (width * pixel_size), 2)
    return {"label": f"{length:g} µm", "share": share, "width": width * pixel_size}
