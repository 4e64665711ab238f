"""The page with a slider over the planes: one HTML file that needs no network and no server.

Here belong what the page holds and how large it may get. How it looks stands in `plane_browser.html`, how it behaves
in `plane_browser.js`.
"""

from base64 import b64encode
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from types import MappingProxyType
from typing import Any, Final

from jinja2 import Environment, PackageLoader
from PIL import Image

from idr_assets.imaging.figures import colours
from idr_assets.imaging.figures.scale_bar import round_length
from idr_assets.imaging.planes import LabelledPlane, Plane, count_objects

PAGE_BYTES: Final = 20_000_000
"""Bound of a page; the more planes it has, the smaller are their pictures."""

_TEXT_BYTES = 500_000  # left for everything but pictures
_PICTURE_BYTES = 2  # of a pixel at most: a byte of grey and half a byte of label that do not compress, in base64
_ROW_BYTES = 3  # of a row: PNG tells of each how it is filtered
_RUNS = 3  # zlib's Z_RLE: noise has no longer repeats, and to look for them takes two fifths of encoding it
_NO_PROVENANCE: Final[Mapping[str, str]] = MappingProxyType({})


def plane_browser(
    planes: Sequence[LabelledPlane | None],
    *,
    title: str,
    omitted: int = 0,
    pixel_size: float | None = None,
    provenance: Mapping[str, str] = _NO_PROVENANCE,
) -> str:
    """Return a page that shows pixels, labels and overlay of each plane, sorted by c, t, z, side by side.

    A plane that is None is not materialized, and `omitted` planes were left out evenly, which the page says.
    `pixel_size` is in micrometres and adds a scale bar. Planes whose pictures would make the page larger than
    `PAGE_BYTES` are reduced, which it says too.
    """
    there = [plane for plane in planes if plane]
    shape = there[0].pixels.shape if there else (1, 1)
    shown = colours.fitted_shape(shape, _longest_side(shape, len(there)))
    templates = Environment(
        loader=PackageLoader(__package__, ""), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    return templates.get_template("plane_browser.html").render(
        title=title,
        planes=_entries(there, max(shown)),
        omitted=omitted,
        missing=len(planes) - len(there),
        shape=shape,
        shown=shown,
        scale=_scale(shape[1], pixel_size),
        grey_range=colours.GREY_RANGE,
        provenance=provenance,
    )


def _longest_side(shape: tuple[int, ...], planes: int) -> int:
    """Return the longer side, `shape`'s at most, of pictures of which `planes` fit the page, however they compress."""
    most = (PAGE_BYTES - _TEXT_BYTES) // max(1, planes)
    return max(1, bisect_right(range(1, max(shape) + 1), most, key=lambda side: _bytes(shape, side)))


def _bytes(shape: tuple[int, ...], side: int) -> int:
    height, width = colours.fitted_shape(shape, side)
    return height * (width * _PICTURE_BYTES + _ROW_BYTES)


def _entries(planes: Sequence[LabelledPlane], side: int) -> list[dict[str, Any]]:
    channels = {plane.c for plane in planes}
    ranges = {c: colours.contrast([plane.pixels for plane in planes if plane.c == c]) for c in channels}
    ordered = sorted(planes, key=lambda plane: (plane.c, plane.t, plane.z))
    with ThreadPoolExecutor(2) as threads:  # half of the work is encoding, without Python's lock; for which more wait
        return list(threads.map(lambda plane: _entry(plane, *ranges[plane.c], side), ordered))


def _entry(plane: LabelledPlane, black: float, white: float, side: int) -> dict[str, Any]:
    shades, coloured = colours.fit(colours.grey(plane.pixels, black, white), plane.labels, side)
    stream = BytesIO()
    Image.fromarray(shades).save(stream, format="PNG", compress_type=_RUNS)
    return {
        "t": plane.t,
        "c": plane.c,
        "z": plane.z,
        "name": str(Plane(plane.t, plane.c, plane.z)),
        "objects": count_objects(plane.labels),
        "range": f"{black:.6g} to {white:.6g} a.u.",
        "pixels": b64encode(stream.getvalue()).decode(),
        "labels": b64encode(colours.palette_png(coloured)).decode(),
    }


def _scale(width: int, pixel_size: float | None) -> dict[str, Any] | None:
    """Return the scale bar's label and its share of a picture's width in per cent."""
    if pixel_size is None:
        return None
    length = round_length(width * pixel_size / 5)
    return {"label": f"{length:g} µm", "share": round(100 * length / (width * pixel_size), 2)}
