"""The group at an address: an image, or one that holds images, such as a plate, a well or the root of a conversion."""

from collections.abc import Iterator, Mapping
from itertools import count, islice
from typing import Any

import zarr
from zarr.abc.store import Store
from zarr.errors import ContainsArrayError, NodeNotFoundError

from idr_assets.imaging.errors import ImageError, join_address
from idr_assets.imaging.ome_zarr.metadata import ome_metadata
from idr_assets.imaging.ome_zarr.multiscales import Multiscale, NoImageError, find_multiscale, is_path_below
from idr_assets.imaging.store_text import show_address

MOST_IMAGES = 3
"""Images whose addresses a message spells out."""


def find_image(url: str, level: str, store: Store, remarks: list[str]) -> Multiscale:
    """Find the entry of `multiscales` that lists a level, or the first; `ImageError` for a group of other images."""
    attributes = read_attributes(url, store)
    try:
        return find_multiscale(url, attributes, level, remarks)
    except NoImageError:
        if about := describe_group(url, attributes, store):
            raise ImageError(about) from None
        raise


def read_attributes(url: str, store: Store) -> Mapping[str, Any]:
    """Read the attributes of the group in a store; `NoImageError` where there is no group."""
    try:
        return zarr.open_group(store, mode="r", use_consolidated=False).attrs.asdict()
    except (NodeNotFoundError, FileNotFoundError, ContainsArrayError):
        message = f"No Zarr group at {url}: nothing can be read. Check `url`; a relative path is below IDR_ASSETS_DATA."
        raise NoImageError(message) from None


def describe_group(url: str, attributes: Mapping[str, Any], store: Store) -> str | None:
    """Describe a group that holds images but is not one itself, with its first images; None for any other group.

    Parameters
    ----------
    url : str
        The address of the group as messages show it.
    attributes : mapping
        Its attributes.
    store : Store
        The store that holds it; more groups in it are read.

    """
    metadata = ome_metadata(attributes)
    for key, (what, images) in KINDS.items():
        if key in metadata:
            found = [
                show_address(join_address(url, path)) for path in islice(images(metadata[key], store), MOST_IMAGES)
            ]
            remedy = f"Write the address of one of them as `url`: {', '.join(found)}" if found else "It names no image"
            whole = (
                ". For all of its fields, write `type: idr_assets.SegmentedPlate`" if key == "plate" and found else ""
            )
            return f"{url} is {what}, which holds images but is not one itself: nothing is read. {remedy}{whole}."
    return None


def _of_plate(plate: Any, store: Store) -> Iterator[str]:  # noqa: ANN401  any JSON
    """Give the first field of each well."""
    for well in _paths(plate, "wells"):
        fields = _of_well(_metadata(store, well).get("well"), store)
        yield f"{well}/{next(fields, '0')}"


def _of_well(well: Any, _: Store) -> Iterator[str]:  # noqa: ANN401  any JSON
    yield from _paths(well, "images")


def _of_conversion(_: Any, store: Store) -> Iterator[str]:  # noqa: ANN401  any JSON
    """Give the images that `OME` lists; where it does not exist, those that exist, which have numbers."""
    listed = list(_paths(_metadata(store, "OME"), "series"))
    yield from listed
    numbers = (str(number) for number in count())
    while not listed and "multiscales" in _metadata(store, number := next(numbers)):
        yield number


def _of_labels(labels: Any, _: Store) -> Iterator[str]:  # noqa: ANN401  any JSON
    yield from _paths({"labels": labels}, "labels")


def _of_scene(scene: Any, _: Store) -> Iterator[str]:  # noqa: ANN401  any JSON
    """Give the images that a scene of 0.6 relates to each other."""
    listed = scene.get("coordinateTransformations") if isinstance(scene, dict) else None
    ends = [it.get(end) for it in _dicts(listed) for end in ("input", "output")]
    yield from dict.fromkeys(_paths({"ends": ends}, "ends"))


KINDS = {
    "plate": ("a plate", _of_plate),
    "well": ("a well of a plate", _of_well),
    "bioformats2raw.layout": ("the root of a conversion by bioformats2raw", _of_conversion),
    "scene": ("a scene", _of_scene),
    "labels": ("a group of labels", _of_labels),
}
"""Keys of OME-Zarr metadata, what a group is that has them, and how to find its images."""


def _paths(holder: Any, key: str) -> Iterator[str]:  # noqa: ANN401  any JSON
    """Give the paths in a list, those of its objects or itself, that lie below their group."""
    listed = holder.get(key) if isinstance(holder, dict) else None
    for each in listed if isinstance(listed, list) else []:
        path = each.get("path") if isinstance(each, dict) else each
        if isinstance(path, str | int) and is_path_below(str(path)):
            yield str(path)


def _dicts(listed: Any) -> list[dict[str, Any]]:  # noqa: ANN401  any JSON
    return [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []


def _metadata(store: Store, path: str) -> dict[str, Any]:
    """Read the OME-Zarr metadata of a group; empty where they cannot be read, since they are for a message only."""
    try:
        return ome_metadata(zarr.open_group(store, path=path, mode="r", use_consolidated=False).attrs.asdict())
    except (ImageError, FileNotFoundError, ValueError, TypeError, KeyError):
        return {}
