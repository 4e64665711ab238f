"""Addresses that are not images: what is there, and which address or step leads to the image."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from fsspec.core import split_protocol

from idr_assets.imaging.errors import ImageError, mask, split_address
from idr_assets.imaging.ome_zarr.groups import describe_group, read_attributes
from idr_assets.imaging.ome_zarr.multiscales import NoImageError, find_multiscale
from idr_assets.imaging.reading.bare_arrays import explain_array
from idr_assets.imaging.reading.chunk_store import ChunkStore
from idr_assets.imaging.reading.documents import DOCUMENTS
from idr_assets.imaging.reading.listings import describe_listing
from idr_assets.imaging.reading.retries import Patience
from idr_assets.imaging.store_text import quote, quote_all, show_address
from idr_assets.imaging.stores.by_address import open_source_store

PARENTS = 4
"""How many folders above an address are searched for the image that it belongs to."""

MAGIC = {
    **dict.fromkeys((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"), "a TIFF file"),
    b"\x89HDF": "an HDF5 file",
    b"PK\3\4": "a ZIP archive",
}
"""The first bytes of files in other formats."""

SUFFIXES = {
    **dict.fromkeys((".tif", ".tiff", ".btf", ".tf8", ".lsm", ".svs"), "a TIFF file"),
    **dict.fromkeys((".h5", ".hdf5", ".ims", ".he5"), "an HDF5 file"),
    **dict.fromkeys((".czi", ".nd2", ".lif", ".oir", ".oib", ".vsi", ".dv", ".mrxs"), "the file of a microscope"),
}

REMEDIES = {
    "an HDF5 file": "Convert it to OME-Zarr: bioformats2raw reads Imaris' .ims; of any other, read the dataset with "
    "h5py and write it with `ome_zarr.writer.write_image` of ome-zarr-py.",
    "a ZIP archive": "An image in it is read if its name ends in .ozx or .zip, and the image is at its root or in its "
    "only folder; otherwise unpack it.",
}


def explain_absence(
    url: str, storage_options: Mapping[str, Any] | None, patience: Patience, *, group: bool
) -> ImageError | None:
    """Say what is at an address without an image, or which image it belongs to; None if neither is known.

    Parameters
    ----------
    url : str
        The address, at which there is no image.
    storage_options : mapping, optional
        Arguments of the fsspec filesystem.
    patience : Patience
        How the store is asked about images above the address.
    group : bool
        Whether there is a Zarr group, which a page that only lists its files does not explain.

    """
    asked = url, storage_options, patience
    if text := _describe_file(url) or _find_image_above(*asked):
        return ImageError(text)
    if array := explain_array(*asked):
        return array
    listing = describe_listing(*asked, group=group)
    return ImageError(listing) if listing else None


def _describe_file(url: str) -> str | None:
    """Say which file is at an address: a local file by its first bytes, any other by its name."""
    protocol, path = split_protocol(url)
    local = Path(path) if protocol in (None, "file") else None
    file = PurePosixPath(path if local else urlsplit(url).path)
    kind = SUFFIXES.get(file.suffix.lower())
    if local:
        if not local.is_file() or file.name in DOCUMENTS:
            return None
        kind = kind or "a file"
        with suppress(OSError), local.open("rb") as opened:
            kind = MAGIC.get(opened.read(4), kind)
    if not kind:
        return None
    stem = file.name.split(".")[0]
    remedy = REMEDIES.get(
        kind, f"Convert it, for example by `bioformats2raw {file.name} {stem}.zarr`, and write `url: {stem}.zarr/0`."
    )
    return f"{mask(url)} is {kind}, not an OME-Zarr image: nothing can be read. {remedy}"


def _find_image_above(url: str, storage_options: Mapping[str, Any] | None, patience: Patience) -> str | None:
    """Find the image that an address leads into, and say how to write it."""
    above, below = url, ""
    for _ in range(PARENTS):
        above, name = split_address(above)
        if not name:
            return None
        below = f"{name}/{below}".rstrip("/")
        found = _look_at(above, storage_options, patience)
        if isinstance(found, str):
            return f"{mask(url)} is not an image, but lies below a group that holds some. {found}"
        if found is not None:
            return _lead_to(show_address(mask(above)), mask(url), below, found)
    return None


def _look_at(url: str, storage_options: Mapping[str, Any] | None, patience: Patience) -> list[str] | str | None:
    """List the levels of the image at an address, or describe a group of images; None if neither can be read there."""
    try:
        store = ChunkStore(open_source_store(url, storage_options), url, patience)
        attributes = read_attributes(mask(url), store)
        try:
            return find_multiscale(mask(url), attributes, "", []).paths()
        except NoImageError:
            return describe_group(mask(url), attributes, store)
    except (ImageError, ImportError, OSError, RuntimeError, ValueError, TypeError, KeyError):
        return None


def _lead_to(image: str, url: str, below: str, levels: list[str]) -> str:
    """Say which `url` and which `level` to write for an address that leads into an image."""
    meant = [level for level in levels if f"{below}/".startswith(f"{level}/") or level.startswith(f"{below}/")]
    if below in DOCUMENTS:
        remedy = f"Write `url: {image}`."
    elif meant:
        remedy = f"Its last part belongs in `level`: write `url: {image}` and `level: {quote(meant[0])}`."
    else:
        remedy = f"Write `url: {image}`, and as `level` one of {quote_all(levels)}."
    return f"{url} is not an image, but leads into the image {image}: nothing is read. {remedy}"
