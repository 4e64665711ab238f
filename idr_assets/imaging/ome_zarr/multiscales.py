"""Find what the attributes of a group say about a level: the entry of `multiscales`, its version and its dataset."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from idr_assets.imaging.channels import Channel
from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.ome_zarr.channels import read_channels
from idr_assets.imaging.ome_zarr.metadata import drop_nulls, ome_metadata
from idr_assets.imaging.store_text import quote, quote_all

NEWEST = (0, 6)
"""The newest version of OME-Zarr that is known here; a later one may use the same words for something else."""

SYSTEMS = (0, 6)
"""The first version whose axes are in `coordinateSystems`."""


class NoImageError(ImageError):
    """There is no OME-Zarr image at an address."""


class BareGroupError(NoImageError):
    """There is a Zarr group without OME-Zarr metadata."""


@dataclass(frozen=True)
class Multiscale:
    """An entry of `multiscales`.

    Attributes
    ----------
    entry : mapping
        The stored entry, without the keys whose value is null.
    version : tuple of int, optional
        The version of OME-Zarr, None where the image names none.
    below_ome : bool
        Whether the metadata are below the key `ome`, as since 0.5.
    channels : tuple of Channel
        What the image says of its channels, by index.

    """

    entry: Mapping[str, Any]
    version: tuple[int, int] | None = None
    below_ome: bool = False
    channels: tuple[Channel, ...] = ()

    @property
    def has_systems(self) -> bool:
        """Whether its axes are those of a coordinate system, as since 0.6."""
        return "coordinateSystems" in self.entry and ("axes" not in self.entry or (self.version or (0, 0)) >= SYSTEMS)

    def dataset(self, level: str) -> Mapping[str, Any] | None:
        """Return the entry of a level, None where it has none."""
        return next((dataset for path, dataset in self._datasets() if path == level), None)

    def paths(self) -> list[str]:
        """List the paths of the levels, from the first."""
        return [path for path, _ in self._datasets()]

    def _datasets(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        listed = self.entry.get("datasets")
        for dataset in listed if isinstance(listed, list) else []:
            path = dataset.get("path") if isinstance(dataset, dict) else None
            if isinstance(path, str | int) and not isinstance(path, bool):  # some writers store the number
                yield str(path), drop_nulls(dataset)


def is_path_below(path: str) -> bool:
    """Return whether a path leads below its group for every server and filesystem, and is not an address."""
    return not ({"", ".", ".."} & set(path.split("/")) or re.search(r"[%?#\\:\x00-\x1f]", path))


def find_multiscale(url: str, attributes: Mapping[str, Any], level: str, remarks: list[str]) -> Multiscale:
    """Find the entry of `multiscales` that lists a level, or the first one.

    Raises
    ------
    NoImageError
        Where there is no entry.
    ImageError
        Where its version is newer than those that are known here.

    """
    below = attributes.get("ome")
    named = below.get("version") if isinstance(below, dict) else None
    version = _version(url, named, remarks)  # first: a newer version may have other keys
    metadata = ome_metadata(attributes)
    listed = metadata.get("multiscales")
    found = [Multiscale(drop_nulls(it)) for it in listed if isinstance(it, dict)] if isinstance(listed, list) else []
    if not found:
        raise BareGroupError(_no_image(url, attributes))
    entry = next((it for it in found if it.dataset(level) is not None), found[0]).entry
    version = version or _version(url, entry.get("version"), remarks)
    return Multiscale(entry, version, isinstance(below, dict), read_channels(metadata))


def find_dataset(url: str, multiscale: Multiscale, level: str) -> Mapping[str, Any]:
    """Return the entry of a level; `ImageError`, with the levels that exist, where it has none."""
    if (dataset := multiscale.dataset(level)) is not None:
        return dataset
    paths = multiscale.paths()
    if not paths:
        message = (
            f"The multiscales of {url} list no level: `datasets` is {quote(multiscale.entry.get('datasets'))}. Tell "
            "the store's owner, or correct it in a copy."
        )
        raise ImageError(message)
    message = f"Level {quote(level)} is not in the multiscales of {url}. Set `level` to one of {quote_all(paths)}."
    raise ImageError(message)


def _version(url: str, named: Any, remarks: list[str]) -> tuple[int, int] | None:  # noqa: ANN401  any JSON
    """Read the version that metadata name; 0.6.dev1 and 0.5-dev count as 0.6 and 0.5."""
    if not named:
        return None
    found = re.match(r"v?(\d{1,4})\.(\d{1,4})", str(named))
    if not found:
        remarks.append(
            f"The version of {url}, {quote(named)}, is not a version of OME-Zarr: it is read by what its keys say."
        )
        return None
    version = int(found[1]), int(found[2])
    if version > NEWEST:
        message = (
            f"{url} is OME-Zarr {quote(named)}, and 0.1 to {NEWEST[0]}.{NEWEST[1]} are known here: its axes might mean "
            "something else, and nothing is read. Update idr_assets, or read a copy in a version that is known."
        )
        raise ImageError(message)
    return version


def _no_image(url: str, attributes: Mapping[str, Any]) -> str:
    metadata = ome_metadata(attributes)
    if "multiscales" in metadata:
        return (
            f"`multiscales` of the Zarr group at {url} is {quote(metadata['multiscales'])}: it names no image, and "
            "nothing can be read. Tell the store's owner, or check `url`."
        )
    return (
        f"The Zarr group at {url} has no `multiscales`: it is not an OME-Zarr image. Its keys: "
        f"{quote_all(metadata or attributes)}. To read a plain array in it, name its path as `level`, and its `axes`."
    )
