"""The planes of the page with a slider, with their pictures as large as the page has room for."""

import math
from base64 import b64encode
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import Any, Final, NamedTuple

from PIL import Image

from idr_assets.imaging.channels import Channel
from idr_assets.imaging.figures import colours, tiles
from idr_assets.imaging.planes import LabelledPlane, Plane, count_objects

PAGE_BYTES: Final = 20_000_000
"""Most bytes of a page; the more planes, the smaller their pictures."""

_TEXT_BYTES = 500_000  # for everything but pictures
_PICTURE_BYTES = 2  # per pixel, at most: a byte of grey and half a byte of label, incompressible, in base64
_ROW_BYTES = 3  # per row: PNG stores a filter for each
_FULL = 0.8  # of the page is aimed at where pictures compress: enlarged, they do less so
_RUNS = 3  # zlib's Z_RLE: noise has no longer repeats, and the search for them takes two fifths of the time


class Rows(NamedTuple):
    """What `t` of planes stands for: the name of the axis, of one t, of the group that t belongs to, and of planes."""

    axis: str
    key: Callable[[int], str]
    group: Callable[[int], str]
    name: Callable[[Plane], str]


TIMEPOINTS: Final = Rows("t", str, lambda _: "", str)


class Pictures(NamedTuple):
    """Planes with their pictures, of the longer side `side`, and what the tiles of large ones show."""

    entries: list[dict[str, Any]]
    side: int
    detail: tiles.Detail | None = None


def fit_entries(
    planes: Sequence[LabelledPlane], shape: tuple[int, ...], known: Mapping[int, Channel], rows: Rows
) -> Pictures:
    """Encode pictures as large as the page has room for; planes that are large become tiles where these show more."""
    side, room = _longest_side(shape, len(planes)), PAGE_BYTES - _TEXT_BYTES
    large = side < max(shape) and math.prod(shape) > tiles.LARGE
    if large and (cut := _with_tiles(planes, min(side, tiles.SIDE), known, rows)):
        return cut
    entries = _entries(planes, side, known, rows)
    larger = min(max(shape), int(side * (_FULL * room / max(1, _count_bytes(entries))) ** 0.5))
    if larger <= side:
        return Pictures(entries, side)
    again = _entries(planes, larger, known, rows)
    return Pictures(again, larger) if _count_bytes(again) <= room else Pictures(entries, side)


def _with_tiles(
    planes: Sequence[LabelledPlane], side: int, known: Mapping[int, Channel], rows: Rows
) -> Pictures | None:
    """Cut planes into tiles; None if no tiles fit that show more than pictures of whole planes."""
    entries = _entries(planes, side, known, rows)
    room = PAGE_BYTES - _TEXT_BYTES - _count_bytes(entries)
    ordered = sorted(planes, key=_place)
    ranges = [entry["range"] for entry in entries]
    detail = tiles.choose_detail(ordered, ranges, room)
    while detail:
        for plane, entry in zip(ordered, entries, strict=True):
            entry["tiles"] = tiles.cut_tiles(plane, entry["range"], detail)
        levels = [level for entry in entries for level in entry["tiles"]]
        if sum(len(tile) for level in levels for tile in level["pixels"] + level["labels"]) <= room:
            return Pictures(entries, side, detail)
        detail = detail.smaller(planes[0].pixels.shape)  # the sample was not like the rest
    return None


def _count_bytes(entries: Sequence[Mapping[str, Any]]) -> int:
    return sum(len(entry["pixels"]) + len(entry["labels"]) for entry in entries)


def _place(plane: LabelledPlane) -> tuple[int, int, int]:
    return plane.c, plane.t, plane.z


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
    ordered = sorted(planes, key=_place)
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
        "range": [black, white],
        "pixels": b64encode(stream.getvalue()).decode(),
        "labels": b64encode(colours.palette_png(coloured)).decode(),
    }
