"""Addresses of web pages about an image, of OMERO, the IDR and viewers, and how to find the image from each."""

import re
from urllib.parse import parse_qs, unquote, urlsplit

from idr_assets.imaging.errors import ImageError, mask
from idr_assets.imaging.store_text import show_address

OMERO = re.compile(r"/(webclient|webgateway|iviewer|figure|api/v\d[^/]*/m)(/|$)", re.IGNORECASE)
IMAGE_NUMBER = re.compile(r"(?:image-|images?[=/]|img_detail/|render_\w+/)(\d+)", re.IGNORECASE)
"""The number of an image in the address of a web page of OMERO."""

VIEWED = ("source", "url", "fileToLoad")
"""Parameters that say what viewers show, such as vizarr and the OME-Zarr validator."""


def check_page(url: str) -> None:
    """Refuse the address of a web page of OMERO, the IDR or a viewer; `ImageError` says how to find the image."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"}:
        return
    query, fragment = parse_qs(parts.query), parse_qs(parts.fragment.rpartition("?")[2])
    shown = [address for name in VIEWED for address in (*query.get(name, []), *fragment.get(name, []))]
    found = IMAGE_NUMBER.search(unquote(url))
    number = found[1] if found else None
    if addresses := [address for address in shown if re.match(r"(https?|s3)://", address)]:
        what, steps = "the page of a viewer", f"Write the address that it shows: `url: {show_address(addresses[0])}`."
    elif not OMERO.search(parts.path):
        return
    elif (parts.hostname or "").startswith("idr"):
        what, steps = "a web page of the IDR", _advise_idr(number)
    else:
        what, steps = "a web page of OMERO", _advise_omero(number)
    message = f"{mask(url)} is {what}, not an image: nothing is read. {steps}"
    raise ImageError(message)


def _advise_idr(number: str | None) -> str:
    return (
        f"The IDR has many of its images as OME-Zarr: look up {f'image {number}' if number else 'yours'} in "
        "https://idr.github.io/ome-ngff-samples/ and write its address. It is like "
        f"https://livingobjects.ebi.ac.uk/idr/zarr/v0.4/idr0044A/{number or '4007801'}.zarr, with the image's study in "
        "place of idr0044A."
    )


def _advise_omero(number: str | None) -> str:
    image = number or "ID"
    return (
        f"Export the image from OMERO by `omero zarr export Image:{image}`, a command of omero-cli-zarr, and write the "
        f"folder that it makes: `url: {image}.zarr`."
    )
