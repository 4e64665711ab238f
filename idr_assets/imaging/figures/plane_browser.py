"""The page with a slider over the planes: one HTML file that needs no network and no server.

This module decides what the page holds and how large it may be. `plane_browser.html` is its layout, `plane_browser.js`
its behaviour.
"""

from base64 import b64encode
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from jinja2 import Environment, PackageLoader
from PIL import Image

from idr_assets.imaging.channels import UNNAMED, Channel
from idr_assets.imaging.figures import colours
from idr_assets.imaging.figures.scale_bar import round_length
from idr_assets.imaging.planes import LabelledPlane, Plane, count_objects

PAGE_BYTES: Final = 20_000_000
"""Most bytes of a page; the more planes, the smaller their pictures."""

_TEXT_BYTES = 500_000  # for everything but pictures
_PICTURE_BYTES = 2  # per pixel, at most: a byte of grey and half a byte of label, incompressible, in base64
_ROW_BYTES = 3  # per row: PNG stores a filter for each
_RUNS = 3  # zlib's Z_RLE: noise has no longer repeats, and the search for them takes two fifths of the time
_NO_PROVENANCE: Final[Mapping[str, str]] = MappingProxyType({})


class Rows(NamedTuple):
    """What `t` of planes stands for: the name of the axis, of one t, of the group that t belongs to, and of planes."""

    axis: str
    key: Callable[[int], str]
    group: Callable[[int], str]
    name: Callable[[Plane], str]


TIMEPOINTS: Final = Rows("t", str, lambda _: "", str)


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
        until the page fits `PAGE_BYTES`; the page states by how much.
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
    shown = colours.fitted_shape(shape, _longest_side(shape, len(there)))
    templates = Environment(
        loader=PackageLoader(__package__, ""), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    return templates.get_template("plane_browser.html").render(
        title=title,
        planes=_entries(there, max(shown), channels, rows),
        channels={c: channels[c] for c in sorted({plane.c for plane in there}) if c in channels},
        rows=rows,
        omitted=omitted,
        missing=len(planes) - len(there),
        shape=shape,
        shown=shown,
        scale=_scale(shape[1], pixel_size),
        grey_range=colours.GREY_RANGE,
        provenance=provenance,
    )


def _longest_side(shape: tuple[int, ...], planes: int) -> int:
    """Return the longer side of pictures so that `planes` of them fit the page even if they do not compress.

    At most the longer side of `shape`.
    """
    most = (PAGE_BYTES - _TEXT_BYTES) // max(1, planes)
    return max(1, bisect_right(range(1, max(shape) + 1), most, key=lambda side: _bytes(shape, side)))


def _bytes(shape: tuple[int, ...], side: int) -> int:
    height, width = colours.fitted_shape(shape, side)
    return height * (width * _PICTURE_BYTES + _ROW_BYTES)


def _entries(
    planes: Sequence[LabelledPlane], side: int, known: Mapping[int, Channel], rows: Rows
) -> list[dict[str, Any]]:
    channels = {plane.c for plane in planes}
    ranges = {c: colours.contrast([plane.pixels for plane in planes if plane.c == c]) for c in channels}
    names = {c: known[c].name or "" if c in known else "" for c in channels}
    ordered = sorted(planes, key=lambda plane: (plane.c, plane.t, plane.z))
    with ThreadPoolExecutor(
        2
    ) as threads:  # half of the work is encoding, without Python's lock; more would wait for it
        return list(threads.map(lambda plane: _entry(plane, *ranges[plane.c], side, names[plane.c], rows), ordered))


def _entry(  # noqa: PLR0913, PLR0917
    plane: LabelledPlane, black: float, white: float, side: int, channel: str, rows: Rows
) -> dict[str, Any]:
    shades, coloured = colours.fit(colours.grey(plane.pixels, black, white), plane.labels, side)
    stream = BytesIO()
    Image.fromarray(shades).save(stream, format="PNG", compress_type=_RUNS)
    return {
        "t": plane.t,
        "c": plane.c,
        "z": plane.z,
        "row": rows.key(plane.t),
        "group": rows.group(plane.t),
        "name": f"{rows.name(Plane(plane.t, plane.c, plane.z))}{f' ({channel})' if channel else ''}",
        "objects": count_objects(plane.labels),
        "range": f"{black:.6g} to {white:.6g} a.u.",
        "pixels": b64encode(stream.getvalue()).decode(),
        "labels": b64encode(colours.palette_png(coloured)).decode(),
    }


def _scale(width: int, pixel_size: float | None) -> dict[str, Any] | None:
    """Return the label of the scale bar, and its width in per cent of a picture."""
    if pixel_size is None:
        return None
    length = round_length(width * pixel_size / 5)
    return {"label": f"{length:g} µm", "share": round(100 * length / (width * pixel_size), 2)}
