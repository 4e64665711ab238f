"""Open the array of a level: from an address to what the metadata say. No pixel is read."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import zarr
from zarr.abc.store import Store
from zarr.errors import NodeNotFoundError

from idr_assets.imaging.errors import ImageError, check_address, mask
from idr_assets.imaging.ome_zarr.geometry import Geometry, read_geometry
from idr_assets.imaging.ome_zarr.groups import find_image
from idr_assets.imaging.ome_zarr.multiscales import BareGroupError, NoImageError, find_dataset
from idr_assets.imaging.ome_zarr.named_axes import name_geometry
from idr_assets.imaging.reading.chunk_formats import find_format
from idr_assets.imaging.reading.chunk_store import ChunkStore
from idr_assets.imaging.reading.retries import Patience
from idr_assets.imaging.reading.web_pages import check_page
from idr_assets.imaging.reading.wrong_turns import explain_absence
from idr_assets.imaging.store_text import cite, quote, quote_all
from idr_assets.imaging.stores.by_address import open_source_store
from idr_assets.imaging.stores.pipelines import ask_at_once

FAULTS = (ImageError, ImportError, AttributeError, KeyError, TypeError, ValueError, OverflowError, RecursionError)
"""What metadata raise that are not those of an image."""

OWNER = "Tell the store's owner, or correct the axes in a copy"


def open_array(  # noqa: PLR0913
    url: str,
    level: str,
    storage_options: Mapping[str, Any] | None,
    patience: Patience,
    *,
    zeros: bool,
    axes: Sequence[str] | None = None,
) -> tuple[Geometry, zarr.Array[Any]]:
    """Open the array of a level and read its axes, unless they are given; `zeros` reads missing chunks as zeros.

    Raises
    ------
    ImageError
        Where nothing can be read; the message says what is at the address and what to do.

    """
    store, shown = _open_store(url, storage_options, patience), mask(url)
    try:
        geometry = name_geometry(shown, level, store, axes) if axes else read_geometry(shown, level, store)
        array = _open(shown, level, store, zeros=zeros)
        _check_dimensions(f"{shown}/{level}", geometry, array, "Write one axis for each" if axes else OWNER)
        geometry = replace(geometry, remarks=(*geometry.remarks, *_compare_names(f"{shown}/{level}", geometry, array)))
        store.verification.chunks = find_format(f"{shown}/{level}", array)
        ask_at_once(array, patience.requests)
    except FAULTS as error:
        failure = _explain(error, store, storage_options)
    else:
        return geometry, array
    raise failure


def list_levels(url: str, storage_options: Mapping[str, Any] | None, patience: Patience) -> list[str]:
    """List the paths of the levels of the image at an address; raises what `open_array` raises."""
    store = _open_store(url, storage_options, patience)
    try:
        multiscale = find_image(mask(url), "", store, [])
        if not (paths := multiscale.paths()):
            find_dataset(mask(url), multiscale, "")  # says that there is none
    except FAULTS as error:
        failure = _explain(error, store, storage_options)
    else:
        return paths
    raise failure


def _open_store(url: str, storage_options: Mapping[str, Any] | None, patience: Patience) -> ChunkStore:
    check_address(url)
    check_page(url)
    return open_chunk_store(url, storage_options, patience)


def _explain(error: Exception, store: ChunkStore, storage_options: Mapping[str, Any] | None) -> ImageError:
    """Say why the metadata of an image cannot be read, and what is at its address instead."""
    match error:
        case NoImageError():
            explained = explain_absence(
                store.url, storage_options, store.patience, group=isinstance(error, BareGroupError)
            )
            return explained or store.documents.refusal() or ImageError(str(error))
        case ImageError():
            return store.documents.refusal() or error
        case ImportError():
            return ImageError(f"A codec of {mask(store.url)} is not installed: nothing can be read. {cite(error)}")
    return ImageError(
        f"The metadata of {mask(store.url)} are not those of an OME-Zarr image ({type(error).__name__}: "
        f"{cite(error)}): nothing can be read. Tell the store's owner, or correct them in a copy."
    )


def open_chunk_store(url: str, storage_options: Mapping[str, Any] | None, patience: Patience) -> ChunkStore:
    """Open the store at an address; nothing is read. `ImageError` where the address cannot be read here."""
    try:
        return ChunkStore(open_source_store(url, storage_options), url, patience)
    except (ImportError, OSError, RuntimeError, TypeError, ValueError) as error:
        failure = ImageError(
            f"{mask(url)} is not an address that can be read here ({type(error).__name__}: {cite(error)}): nothing "
            "is read. Write `url` as http://, https:// or s3://, without blanks before it, or as a local path, and "
            "check `storage_options`."
        )
    raise failure  # outside the handler: otherwise it carries its cause, which may hold a password


def _open(url: str, level: str, store: Store, *, zeros: bool) -> zarr.Array[Any]:
    try:
        return zarr.open_array(store, path=level, mode="r", config={"read_missing_chunks": zeros})
    except (NodeNotFoundError, FileNotFoundError):
        message = f"Level {quote(level)} is listed in the multiscales of {url}, but there is no array at {url}/{level}."
        raise ImageError(message) from None


def _check_dimensions(url: str, geometry: Geometry, array: zarr.Array[Any], remedy: str) -> None:
    if len(geometry.axes) == array.ndim:
        return
    message = (
        f"The array {url} has {array.ndim} dimensions, of shape {array.shape}, but the image has {len(geometry.axes)} "
        f"axes, {quote_all(geometry.axes)}: which dimension is which is not known, and nothing is read. {remedy}."
    )
    raise ImageError(message)


def _compare_names(url: str, geometry: Geometry, array: zarr.Array[Any]) -> Iterator[str]:
    """Remark on an array whose dimensions have names in another order than the axes of the image."""
    names = [str(name).lower() for name in getattr(array.metadata, "dimension_names", None) or ()]
    if set(names) == set(geometry.axes) and tuple(names) != geometry.axes:
        yield (
            f"The array {url} names its dimensions {quote_all(names)}, the image {quote_all(geometry.axes)}: the axes "
            "of the image count. See whether its planes look right."
        )
