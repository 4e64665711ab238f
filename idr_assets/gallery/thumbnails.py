"""A small picture of a plane with its labels, made when it is asked for."""

import os
from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response

from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.figures.pictures import small_png
from idr_assets.imaging.planes import Plane
from idr_assets.orchestration.image import Image

SIDE = 192
"""Pixels of the longer side."""

_ABSENT = (
    b'<svg xmlns="http://www.w3.org/2000/svg" width="96" height="96"><defs><pattern id="p" width="8" height="8" '
    b'patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path d="M0 0V8" stroke="#999" stroke-width="3"/>'
    b'</pattern></defs><rect width="96" height="96" fill="url(#p)"/></svg>'
)
_DAMAGED = (
    b'<svg xmlns="http://www.w3.org/2000/svg" width="96" height="96"><rect width="96" height="96" fill="#fff"/>'
    b'<path d="M8 8L88 88M88 8L8 88" stroke="#a8200d" stroke-width="3"/><rect y="36" width="96" height="24" '
    b'fill="#fff"/><text x="48" y="53" font-family="sans-serif" font-size="16" text-anchor="middle" '
    b'fill="#a8200d">damaged</text></svg>'
)


def answer_thumbnail(images: Sequence[Image], request: Request) -> Response:
    """Answer with the thumbnail of a plane: hatched, as in figures, if it is not stored, crossed out if it is damaged.

    A browser that has the picture already, as it is now, is told so.
    """
    asked = request.path_params
    image, plane = images[min(asked["number"], len(images) - 1)], Plane(asked["t"], asked["c"], asked["z"])
    tag = _find_tag(image, plane)
    headers = {"ETag": tag} if tag else {}
    if tag and request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    try:
        if drawn := _draw(image, plane) if tag else None:
            return Response(drawn, media_type="image/png", headers=headers)
    except ImageError:
        return Response(_DAMAGED, media_type="image/svg+xml")
    return Response(_ABSENT, media_type="image/svg+xml")


def _find_tag(image: Image, plane: Plane) -> str | None:
    """Return a tag of a plane's stored labels, which changes when they are made again; None if they are not stored."""
    try:
        output = image.open_output()
        own = plane if image.labels_shown is None else Plane(plane.t, image.labels_shown, plane.z)
        if not output.covers(own):
            return None
        file = os.stat(f"{image.labels_url}/{output.label_keys(own, output.name)[0]}")  # noqa: PTH116  a text
    except (ImageError, OSError):
        return None
    return f'"{file.st_mtime_ns:x}-{file.st_size:x}"'


def _draw(image: Image, plane: Plane) -> bytes | None:
    """Draw a plane, of a large one every few pixels; None if it is not stored, `ImageError` if it is damaged."""
    sparse = slice(None, None, max(1, max(image.shape[3:]) // (2 * SIDE)))
    found = image.open_output().read(plane, image.labels_shown, (sparse, sparse))
    return small_png(found, SIDE) if found else None
