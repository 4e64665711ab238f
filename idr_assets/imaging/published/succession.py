"""A published image of another shape: it is built beside the old one, which stays as it is until it can be replaced."""

import json
from collections.abc import Callable, Iterable
from typing import Any

from idr_assets.imaging.errors import mask
from idr_assets.imaging.ome_zarr.formats import FORMATS
from idr_assets.imaging.output.files import exists, move_file, read_ends, remove_tree, write_file
from idr_assets.imaging.output.nodes import read_attributes
from idr_assets.imaging.output.store_faults import explain_writes
from idr_assets.imaging.published.layout import Layout
from idr_assets.imaging.published.records import read_timepoints
from idr_assets.imaging.stores.by_address import is_local, open_filesystem

ROOT = FORMATS["0.5"].group
FIRST = f"0/{ROOT}"
"""The documents of the image, and of its first level, which is written last and shows the layout of all shards."""

HANDED_OVER = "handed over"
"""Stands in place of an image on S3 while its successor is copied there: no reader finds an image then."""


def choose_address(url: str, new: str, layout: Layout) -> str:
    """Return where to publish: at `url`, or at `new` while another shape is there; end what a killed run began."""
    if exists(new) and (not exists(url) or _read_own(url).get("published") == HANDED_OVER):
        take_place(url, new)
    if "published" not in _read_own(url):  # nothing, or what somebody else has there
        return url
    (first,) = read_ends(url, [FIRST], 0)
    if fits(first, layout):
        remove_tree(new)
        return url
    return new


def fits(first: bytes | None, layout: Layout) -> bool:
    """Return whether shards of a layout fit into arrays, by the document of the first; they may become longer in T."""
    own = read_attributes(first or b"").get("idr_assets", {})
    return own.get("layout") == layout.mark and bool(json.loads(first or b"")["shape"][0] <= len(layout.extent.t))


def succeed(url: str, new: str, timepoints: Iterable[int], warn: Callable[[str], None]) -> str:
    """Let the image at `new` take the place of that at `url` if it has its timepoints, and return where it is then."""
    old, made = ({t for t, record in read_timepoints(it).items() if "made_from" in record} for it in (url, new))
    if left := sorted((old - made).intersection(timepoints)):
        warn(
            "The published image has another shape, such as that of an earlier window. It stays as it is, and the new "
            f"one is {mask(new)}, until that has these timepoints too: {', '.join(map(str, left))}. Publish them."
        )
        return new
    take_place(url, new)
    return url


def take_place(url: str, new: str) -> None:
    """Put the image at `new` in the place of that at `url`; once this was begun, it can be done again.

    Raises
    ------
    ImageError
        If files cannot be written, moved or removed.

    """
    if is_local(url):
        old = f"{url}.old"
        remove_tree(old)
        move_file(url, old)
        move_file(new, url)
        remove_tree(old)
        return
    filesystem, (source, target) = open_filesystem(url)[0], (open_filesystem(it)[1] for it in (new, url))
    with explain_writes(url):
        root = filesystem.cat_file(f"{source}/{ROOT}")
        document = {"zarr_format": 3, "node_type": "group", "attributes": {"idr_assets": {"published": HANDED_OVER}}}
        write_file(f"{url}/{ROOT}", json.dumps(document).encode())
        filesystem.invalidate_cache()
        wanted, found = ({it.removeprefix(f"{at}/") for it in filesystem.find(at)} - {ROOT} for at in (source, target))
        for name in found - wanted:
            filesystem.rm_file(f"{target}/{name}")
        filesystem.copy([f"{source}/{it}" for it in wanted], [f"{target}/{it}" for it in wanted], on_error="raise")
    write_file(f"{url}/{ROOT}", root)
    remove_tree(new)


def _read_own(url: str) -> dict[str, Any]:
    (document,) = read_ends(url, [ROOT], 0)
    own: dict[str, Any] = read_attributes(document or b"").get("idr_assets", {})
    return own
